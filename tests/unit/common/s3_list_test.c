/* Listing and deleting with scripted answers, page by page. */
#include "s3_stub.h"

#define CONTENTS(key)                                                                              \
    "<Contents><Key>" key "</Key><LastModified>2026-02-03T22:00:00.123Z</LastModified>"            \
    "<ETag>&quot;e&quot;</ETag><Size>5</Size></Contents>"

static void pages_are_put_together(void)
{
    const struct stub_step steps[] = {
        {.answer = ANSWER("<ListBucketResult><IsTruncated>true</IsTruncated>" CONTENTS("p/a")
                              CONTENTS("p/b") "</ListBucketResult>")},
        {.answer = ANSWER("<ListBucketResult>" CONTENTS(
             "p/c&amp;") "<IsTruncated>false</IsTruncated></ListBucketResult>")},
    };
    struct bucket *bucket = serve(steps, 2);
    struct objects objects;
    CHECK_STR(bucket_backend(bucket), "r2");
    CHECK_INT(bucket_list(bucket, "p/", NULL, 5, &arena, &objects, &err), 0);
    end(bucket);
    CHECK_INT(objects.len, 3);
    CHECK_STR(objects.at[2].key, "p/c&");
    CHECK_STR(objects.at[0].etag, "e");
    CHECK_INT(objects.at[0].size_bytes, 5);
    CHECK_INT(objects.at[0].modified_at, INT64_C(1770156000123));
    CHECK(strstr(server.heads[0], "GET /bu?encoding-type=url&list-type=2&max-keys=5&prefix=p%2F "));
    CHECK(
        strstr(server.heads[1],
               "GET /bu?encoding-type=url&list-type=2&max-keys=3&prefix=p%2F&start-after=p%2Fb "));
    CHECK(strstr(server.heads[0], "/auto/s3/aws4_request"));
}

static enum error list_code(const char *answer)
{
    const struct stub_step step = {.answer = answer};
    struct bucket *bucket = serve(&step, 1);
    struct objects objects;
    int failed = bucket_list(bucket, "p/", NULL, 1, &arena, &objects, &err);
    end(bucket);
    CHECK_INT(failed, err.code ? -1 : 0);
    return err.code;
}

static void strange_answers_are_failures(void)
{
    CHECK_INT(
        list_code(ANSWER("<ListBucketResult>" CONTENTS("a") CONTENTS("b") "</ListBucketResult>")),
        ERR_STORAGE_UNAVAILABLE);
    CHECK_INT(list_code(ANSWER("<ListBucketResult><Contents></Contents></ListBucketResult>")),
              ERR_STORAGE_UNAVAILABLE);
    CHECK_INT(
        list_code(ANSWER("<ListBucketResult><Contents><Key>p/a</Key><Size>-5</Size></Contents>"
                         "</ListBucketResult>")),
        ERR_STORAGE_UNAVAILABLE);
    CHECK_INT(list_code(ANSWER("<!DOCTYPE x><ListBucketResult/>")), ERR_STORAGE_UNAVAILABLE);
    CHECK_INT(list_code(ANSWER("")), ERR_STORAGE_UNAVAILABLE);
    CHECK_INT(list_code(ANSWER("<Error><Code>InternalError</Code></Error>")),
              ERR_STORAGE_UNAVAILABLE);
    CHECK_INT(list_code(ANSWER("<ListBucketResult><IsTruncated>true</IsTruncated>"
                               "</ListBucketResult>")),
              ERR_STORAGE_UNAVAILABLE);
    CHECK_INT(list_code("HTTP/1.1 404 X\r\n\r\n<Error><Code>NoSuchBucket</Code></Error>"),
              ERR_STORAGE_BUCKET);
    CHECK_INT(list_code("HTTP/1.1 301 X\r\nLocation: http://127.0.0.1:1/\r\n\r\n"), ERR_CONFIG);
}

/* Keys that XML cannot hold, in a bucket that is not only ours. */
static void the_whole_bucket_is_listed(void)
{
    const struct stub_step step = {
        .answer = ANSWER("<ListBucketResult>" CONTENTS("a%20b+c%2Bd%00%zz%0A") CONTENTS(
            "%C3%BC") "<EncodingType>url</EncodingType></ListBucketResult>")};
    struct bucket *bucket = serve(&step, 1);
    struct objects objects;
    CHECK_INT(bucket_list(bucket, "", NULL, 5, &arena, &objects, &err), 0);
    end(bucket);
    CHECK_INT(objects.len, 2);
    CHECK_STR(objects.at[0].key, "a b c+d%00%zz\n");
    CHECK_STR(objects.at[1].key, "ü");
    CHECK(strstr(server.heads[0], "GET /bu?encoding-type=url&list-type=2&max-keys=5&prefix= "));
}

/* Whoever goes on after the last key would get it again and again. */
static void disorder_is_a_failure(void)
{
    CHECK_INT(
        list_code(ANSWER("<ListBucketResult>" CONTENTS("p/a") "<IsTruncated>true"
                                                              "</IsTruncated></ListBucketResult>")),
        ERR_NONE);
    const struct stub_step steps[] = {
        {.answer =
             ANSWER("<ListBucketResult>" CONTENTS("p/b") CONTENTS("p/a") "</ListBucketResult>")},
        {.answer = ANSWER("<ListBucketResult>" CONTENTS("p/a") "</ListBucketResult>")}};
    struct objects objects;
    struct bucket *bucket = serve(steps, 2);
    CHECK_INT(bucket_list(bucket, "p/", NULL, 5, &arena, &objects, &err), -1);
    CHECK_INT(bucket_list(bucket, "p/", "p/a", 5, &arena, &objects, &err), -1);
    CHECK_INT(err.code, ERR_STORAGE_UNAVAILABLE);
    end(bucket);
}

static void deletion_tells_of_each_key(void)
{
    const struct stub_step step = {
        .answer = ANSWER("<DeleteResult><Error><Key>p/b</Key><Code>AccessDenied</Code></Error>"
                         "<Error><Key>p/c</Key><Code>NoSuchKey</Code></Error></DeleteResult>")};
    struct bucket *bucket = serve(&step, 1);
    const char *keys[] = {"p/a", "p/b", "p/c"};
    struct err errs[3];
    CHECK_INT(bucket_delete(bucket, keys, 3, errs, &err), -1);
    end(bucket);
    CHECK_INT(err.code, ERR_STORAGE_AUTH);
    CHECK_INT(errs[0].code, ERR_NONE);
    CHECK_INT(errs[1].code, ERR_STORAGE_AUTH);
    CHECK_INT(errs[2].code, ERR_NONE);
    CHECK(strstr(server.heads[0], "POST /bu?delete= "));
    CHECK(strcasestr(server.heads[0], "\r\ncontent-md5: "));
    CHECK(strstr(server.body[0], "<Object><Key>p/b</Key></Object>"));
}

/* Not even with status 200. */
static void an_error_is_no_deletion(void)
{
    const struct stub_step step = {.answer = ANSWER("<Error><Code>InternalError</Code></Error>")};
    struct bucket *bucket = serve(&step, 1);
    const char *keys[] = {"p/a"};
    struct err errs[1];
    CHECK_INT(bucket_delete(bucket, keys, 1, errs, &err), -1);
    end(bucket);
    CHECK_INT(errs[0].code, ERR_STORAGE_UNAVAILABLE);
}

static void a_call_that_fails_leaves_every_key_in_doubt(void)
{
    const struct stub_step step = {.answer = "HTTP/1.1 403 X\r\n\r\n"};
    struct bucket *bucket = serve(&step, 1);
    const char *keys[] = {"p/a", "p/b"};
    struct err errs[2];
    CHECK_INT(bucket_delete(bucket, keys, 2, errs, &err), -1);
    end(bucket);
    CHECK_INT(errs[0].code, ERR_STORAGE_AUTH);
    CHECK_INT(errs[1].code, ERR_STORAGE_AUTH);
}

/* Six tries would follow, each until the stall is noticed. */
static void patience_bounds_a_call(void)
{
    const struct stub_step steps[] = {{.answer = "", .hang = true}, {.answer = "", .hang = true}};
    struct bucket *bucket = serve(steps, 2);
    struct object object;
    bucket_set_patience(bucket, 500);
    CHECK_INT(bucket_head(bucket, "p/a", &arena, &object, &err), -1);
    CHECK_INT(err.code, ERR_STORAGE_TIMEOUT);
    end(bucket);
    CHECK_INT(server.served, 1);
}

int main(void)
{
    RUN(pages_are_put_together);
    RUN(strange_answers_are_failures);
    RUN(the_whole_bucket_is_listed);
    RUN(disorder_is_a_failure);
    RUN(deletion_tells_of_each_key);
    RUN(an_error_is_no_deletion);
    RUN(a_call_that_fails_leaves_every_key_in_doubt);
    RUN(patience_bounds_a_call);
    arena_release(&arena);
    return 0;
}
