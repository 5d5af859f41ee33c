/* Listing, deleting and aborting with scripted answers, page by page. */
#include "common/bucket.h"
#include "stub_server.h"

static struct stub_server server;
static struct arena arena;
static struct err err;

#define ANSWER(body) "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" body
#define CONTENTS(key)                                                                              \
    "<Contents><Key>" key "</Key><LastModified>2026-02-03T22:00:00.123Z</LastModified>"            \
    "<ETag>&quot;e&quot;</ETag><Size>5</Size></Contents>"

static struct bucket *serve(const struct stub_step *steps, size_t len)
{
    struct bucket *bucket;
    stub_start(&server, steps, len);
    struct bucket_settings settings = {
        .r2_enabled = true,
        /* As R2's console shows it: with the bucket inside. */
        .r2_endpoint_url = arena_printf(&arena, "http://127.0.0.1:%d/bu", server.port),
        .r2_bucket_name = "bu",
        .r2_access_key_id = "key",
        .r2_secret_access_key = "secret",
    };
    err = (struct err){0};
    CHECK_INT(bucket_open(&bucket, &settings, &err), 0);
    return bucket;
}

static void end(struct bucket *bucket)
{
    bucket_free(bucket);
    stub_stop(&server);
}

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
    CHECK(strstr(server.heads[0], "GET /bu?list-type=2&max-keys=5&prefix=p%2F "));
    CHECK(strstr(server.heads[1], "GET /bu?list-type=2&max-keys=3&prefix=p%2F&start-after=p%2Fb "));
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

#define UPLOAD(key)                                                                                \
    "<ListMultipartUploadsResult><Upload><Key>" key "</Key><UploadId>U1</UploadId></Upload>"       \
    "</ListMultipartUploadsResult>"

static void open_uploads_are_aborted(void)
{
    const struct stub_step steps[] = {
        {.answer = ANSWER(UPLOAD("p/x"))},
        {.answer = "HTTP/1.1 204 X\r\nConnection: close\r\n\r\n"},
        {.answer = ANSWER("<ListMultipartUploadsResult></ListMultipartUploadsResult>")},
    };
    struct bucket *bucket = serve(steps, 3);
    size_t aborted = 0;
    CHECK_INT(bucket_abort_uploads(bucket, "p/", &aborted, &err), 0);
    end(bucket);
    CHECK_INT(aborted, 1);
    CHECK(strstr(server.heads[0], "GET /bu?prefix=p%2F&uploads= "));
    CHECK(strstr(server.heads[1], "DELETE /bu/p/x?uploadId=U1 "));
}

static void uploads_of_others_are_left_alone(void)
{
    const struct stub_step step = {.answer = ANSWER(UPLOAD("q/x"))};
    struct bucket *bucket = serve(&step, 1);
    CHECK_INT(bucket_abort_uploads(bucket, "p/", NULL, &err), -1);
    end(bucket);
    CHECK_INT(server.served, 1);
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
    RUN(deletion_tells_of_each_key);
    RUN(an_error_is_no_deletion);
    RUN(a_call_that_fails_leaves_every_key_in_doubt);
    RUN(open_uploads_are_aborted);
    RUN(uploads_of_others_are_left_alone);
    RUN(patience_bounds_a_call);
    arena_release(&arena);
    return 0;
}
