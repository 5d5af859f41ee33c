/* Storing files on a server that fails: tried again, verified, aborted, and never reported wrongly.
 */
#include <fcntl.h>

#include "common/bucket.h"
#include "common/digest.h"
#include "stub_server.h"

enum { SMALL = 1000, LARGE = 17 << 20 }; /* large: two parts */

static struct stub_server server;
static struct arena arena;
static struct err err;
static char small_path[] = "/tmp/s3_put_test.XXXXXX", large_path[] = "/tmp/s3_put_test.XXXXXX";
static char small_md5[65];

#define ERROR(status, code)                                                                        \
    "HTTP/1.1 " status " X\r\nConnection: close\r\n\r\n<?xml version=\"1.0\"?><Error><Code>" code  \
    "</Code><Message>why</Message></Error>"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: \"opaque-1\"\r\nConnection: close\r\n\r\n"
#define BEGUN                                                                                      \
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<InitiateMultipartUploadResult xmlns=\"x\">"      \
    "<Bucket>b</Bucket><UploadId>U&amp;1</UploadId></InitiateMultipartUploadResult>"
#define COMPLETED                                                                                  \
    "HTTP/1.1 200 OK\r\nConnection: "                                                              \
    "close\r\n\r\n<CompleteMultipartUploadResult><ETag>&quot;m-2&quot;</ETag>"                     \
    "</CompleteMultipartUploadResult>"
#define HEAD(len)                                                                                  \
    "HTTP/1.1 200 OK\r\nContent-Length: " len "\r\nETag: \"m-2\"\r\nConnection: close\r\n\r\n"
#define GONE "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"

static struct bucket *serve(const struct stub_step *steps, size_t len)
{
    struct bucket *bucket;
    stub_start(&server, steps, len);
    struct bucket_settings settings = {
        .backend = BACKEND_MINIO,
        .minio_endpoint = arena_printf(&arena, "127.0.0.1:%d", server.port),
        .minio_bucket_name = "b",
        .minio_access_key = "key",
        .minio_secret_key = "secret",
        .parallel = 1,
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

static void add(void *arg, int64_t bytes)
{
    *(int64_t *)arg += bytes;
}

static void count(void *arg)
{
    ++*(int64_t *)arg;
}

static struct bucket_put small_put(void)
{
    return (struct bucket_put){.key = "p/a.m4s", .path = small_path, .size_bytes = SMALL};
}

/* The code one small file ends with, after these answers. */
static enum error code_of(const struct stub_step *steps, size_t len, struct bucket_put *put)
{
    struct bucket *bucket = serve(steps, len);
    int64_t sent = 0;
    struct bucket_watch watch = {.sent = add, .arg = &sent};
    *put = small_put();
    int failed = bucket_put(bucket, put, 1, &watch, &arena, &err);
    end(bucket);
    CHECK_INT(failed, err.code ? -1 : 0);
    CHECK_INT(put->err.code, err.code);
    CHECK(failed || (put->etag && sent == SMALL));
    CHECK(!failed || !put->etag);
    return err.code;
}

static void what_may_pass_is_tried_again(void)
{
    const struct stub_step steps[] = {{.answer = ERROR("503", "SlowDown")},
                                      {0},
                                      {.answer = ERROR("400", "BadDigest")},
                                      {.answer = OK}};
    struct bucket_put put;
    CHECK_INT(code_of(steps, 4, &put), ERR_NONE);
    CHECK_STR(put.etag, "opaque-1");
    CHECK_INT(server.served, 4);
    CHECK_INT(server.body_lens[3], SMALL);
    CHECK(strstr(server.heads[0], "PUT /b/p/a.m4s HTTP/1.1\r\n") == server.heads[0]);
    CHECK(strcasestr(server.heads[0], "\r\ncontent-type: video/iso.segment\r\n"));
    CHECK(strcasestr(server.heads[0], "\r\ncontent-md5: "));
    CHECK(strcasestr(server.heads[0], "\r\nx-amz-content-sha256: "));
    CHECK(!strcasestr(server.heads[0], "acl") && !strcasestr(server.heads[0], "checksum"));
}

static void what_will_not_pass_is_not(void)
{
    static const struct {
        const char *answer;
        enum error code;
    } rows[] = {
        {ERROR("403", "AccessDenied"), ERR_STORAGE_AUTH},
        {ERROR("403", "SignatureDoesNotMatch"), ERR_STORAGE_AUTH},
        {ERROR("403", "RequestTimeTooSkewed"), ERR_CLOCK_SKEW},
        {ERROR("404", "NoSuchBucket"), ERR_STORAGE_BUCKET},
        {ERROR("400", "EntityTooLarge"), ERR_OBJECT_TOO_LARGE},
        {ERROR("501", "NotImplemented"), ERR_STORAGE_UNSUPPORTED},
        {"HTTP/1.1 403 Forbidden\r\n\r\n<html>a proxy's page", ERR_STORAGE_AUTH},
        {"HTTP/1.1 503 Busy\r\nRetry-After: 60\r\n\r\n", ERR_STORAGE_UNAVAILABLE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct stub_step steps[] = {{.answer = rows[i].answer}, {.answer = OK}};
        struct bucket_put put;
        CHECK_INT(code_of(steps, 2, &put), rows[i].code);
        CHECK_INT(server.served, 1);
    }
    CHECK_INT(err.retry_after_ms, 60000);
}

static void a_flipped_byte_is_noticed(void)
{
    const char *form =
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: \"%.32s\"\r\n%sConnection: close\r\n\r\n";
    const char *wrong = "00000000000000000000000000000000";
    const struct stub_step steps[] = {{.answer = arena_printf(&arena, form, wrong, "")},
                                      {.answer = arena_printf(&arena, form, small_md5, "")}};
    struct bucket_put put;
    CHECK_INT(code_of(steps, 2, &put), ERR_NONE);
    CHECK_INT(server.served, 2);
    /* Encrypted with the server's keys, the ETag is 32 digits of something else. */
    const struct stub_step encrypted = {
        .answer = arena_printf(&arena, form, wrong, "x-amz-server-side-encryption: aws:kms\r\n")};
    CHECK_INT(code_of(&encrypted, 1, &put), ERR_NONE);
}

static void one_denial_ends_all(void)
{
    const struct stub_step steps[] = {{.answer = ERROR("403", "AccessDenied")}, {.answer = OK}};
    struct bucket *bucket = serve(steps, 2);
    struct bucket_put puts[] = {small_put(), small_put(), small_put()};
    CHECK_INT(bucket_put(bucket, puts, 3, NULL, &arena, &err), -1);
    end(bucket);
    CHECK_INT(server.served, 1);
    for (size_t i = 0; i < 3; i++)
        CHECK_INT(puts[i].err.code, ERR_STORAGE_AUTH);
}

static enum error large_code(const struct stub_step *steps, size_t len, struct bucket_put *put)
{
    struct bucket *bucket = serve(steps, len);
    int64_t sent = 0;
    struct bucket_watch watch = {.sent = add, .arg = &sent};
    *put = (struct bucket_put){.key = "p/source.mp4", .path = large_path, .size_bytes = LARGE};
    int failed = bucket_put(bucket, put, 1, &watch, &arena, &err);
    end(bucket);
    CHECK(failed || sent == LARGE);
    return err.code;
}

static void only_the_failed_part_is_sent_again(void)
{
    const struct stub_step steps[] = {
        {.answer = BEGUN}, {.answer = OK},        {.answer = ERROR("500", "InternalError")},
        {.answer = OK},    {.answer = COMPLETED}, {.answer = HEAD("17825792")},
    };
    struct bucket_put put;
    CHECK_INT(large_code(steps, 6, &put), ERR_NONE);
    CHECK_INT(server.served, 6);
    CHECK_INT(server.body_lens[1], 16 << 20);
    CHECK_INT(server.body_lens[2], 1 << 20);
    CHECK_INT(server.body_lens[3], 1 << 20);
    CHECK(strstr(server.heads[1], "PUT /b/p/source.mp4?partNumber=1&uploadId=U%261 "));
    CHECK(strstr(server.heads[3], "?partNumber=2&uploadId=U%261 "));
    CHECK(strstr(server.heads[4], "POST /b/p/source.mp4?uploadId=U%261 "));
    CHECK(strstr(server.body[4],
                 "<Part><PartNumber>2</PartNumber><ETag>&quot;opaque-1&quot;</ETag></Part>"));
    CHECK(strstr(server.heads[5], "HEAD /b/p/source.mp4 "));
    CHECK_STR(put.etag, "m-2");
}

/* 200 with an error inside, then an answer that is lost, then "no such upload": it is there. */
static void a_lost_completion_is_found_out(void)
{
    const struct stub_step steps[] = {
        {.answer = BEGUN},
        {.answer = OK},
        {.answer = OK},
        {.answer = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n  "
                   "<Error><Code>InternalError</Code></Error>"},
        {0},
        {.answer = ERROR("404", "NoSuchUpload")},
        {.answer = HEAD("17825792")},
    };
    struct bucket_put put;
    CHECK_INT(large_code(steps, 7, &put), ERR_NONE);
    CHECK_INT(server.served, 7);
    CHECK_STR(put.etag, "m-2");
}

static void a_wrong_size_is_no_success(void)
{
    const struct stub_step steps[] = {{.answer = BEGUN},      {.answer = OK},
                                      {.answer = OK},         {.answer = COMPLETED},
                                      {.answer = HEAD("17")}, {.answer = GONE}};
    struct bucket_put put;
    CHECK_INT(large_code(steps, 6, &put), ERR_STORAGE_MISMATCH);
    CHECK(!put.etag);
}

static void a_failed_upload_is_aborted(void)
{
    const struct stub_step steps[] = {
        {.answer = BEGUN}, {.answer = ERROR("403", "AccessDenied")}, {.answer = GONE}};
    struct bucket_put put;
    CHECK_INT(large_code(steps, 3, &put), ERR_STORAGE_AUTH);
    CHECK_INT(server.served, 3);
    CHECK(strstr(server.heads[2], "DELETE /b/p/source.mp4?uploadId=U%261 "));
}

static void nonsense_instead_of_an_upload_id_fails(void)
{
    const struct stub_step step = {.answer =
                                       "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>hello"};
    struct bucket_put put;
    CHECK_INT(large_code(&step, 1, &put), ERR_STORAGE_UNAVAILABLE);
}

static bool sent_much(void *arg)
{
    return *(int64_t *)arg > 1 << 20;
}

/* A server that stalls is not waited for once somebody says stop; the abort is not waited for,
 * either. */
static void a_stop_is_heard_while_the_server_hangs(void)
{
    const struct stub_step steps[] = {{.answer = BEGUN}, {.hang = true}, {.hang = true}};
    struct bucket *bucket = serve(steps, 3);
    int64_t sent = 0;
    struct bucket_watch watch = {.stopped = sent_much, .sent = add, .arg = &sent};
    struct bucket_put put = {.key = "p/source.mp4", .path = large_path, .size_bytes = LARGE};
    CHECK_INT(bucket_put(bucket, &put, 1, &watch, &arena, &err), -1);
    CHECK_INT(err.code, ERR_CANCELLED);
    end(bucket);
    CHECK(strstr(server.heads[2], "DELETE "));
}

/* The server has begun an upload whose id nobody was told. */
static void a_lost_beginning_leaves_no_upload(void)
{
    const struct stub_step steps[] = {
        {.answer = NULL},
        {.answer = BEGUN},
        {.answer = OK},
        {.answer = OK},
        {.answer = COMPLETED},
        {.answer = HEAD("17825792")},
        {.answer =
             "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<ListMultipartUploadsResult><Upload>"
             "<Key>p/source.mp4</Key><UploadId>U0</UploadId></Upload>"
             "</ListMultipartUploadsResult>"},
        {.answer = GONE},
        {.answer = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<ListMultipartUploadsResult>"
                   "</ListMultipartUploadsResult>"},
    };
    struct bucket *bucket = serve(steps, 9);
    struct bucket_put put = {.key = "p/source.mp4", .path = large_path, .size_bytes = LARGE};
    int64_t retries = 0;
    const struct bucket_watch watch = {.retried = count, .arg = &retries};
    bucket_set_watch(bucket, &watch);
    CHECK_INT(bucket_put(bucket, &put, 1, NULL, &arena, &err), 0);
    end(bucket);
    CHECK_INT(server.served, 9);
    CHECK_INT(retries, 1);
    CHECK(strstr(server.heads[7], "DELETE /b/p/source.mp4?uploadId=U0 "));
}

static void a_probe_stores_nothing(void)
{
    static const struct {
        const char *answer;
        enum error code;
    } rows[] = {
        {ERROR("400", "BadDigest"), ERR_NONE},
        {ERROR("400", "InvalidDigest"), ERR_NONE},
        {ERROR("403", "AccessDenied"), ERR_STORAGE_AUTH},
        {ERROR("404", "NoSuchBucket"), ERR_STORAGE_BUCKET},
        {ERROR("503", "SlowDown"), ERR_STORAGE_UNAVAILABLE},
        {NULL, ERR_STORAGE_UNAVAILABLE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct stub_step step = {.answer = rows[i].answer};
        struct bucket *bucket = serve(&step, 1);
        CHECK_INT(bucket_probe(bucket, &err), rows[i].code ? -1 : 0);
        CHECK_INT(err.code, rows[i].code);
        end(bucket);
        CHECK_INT(server.served, 1);
        CHECK(strstr(server.heads[0], "content-md5: 1B2M2Y8AsgTpgAmY7PhCfg=="));
    }
}

/* Then the object is there, and has to go. */
static void a_probe_that_was_stored_is_deleted(void)
{
    const struct stub_step steps[] = {
        {.answer = OK},
        {.answer = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<DeleteResult></DeleteResult>"}};
    struct bucket *bucket = serve(steps, 2);
    CHECK_INT(bucket_probe(bucket, &err), 0);
    end(bucket);
    CHECK(strstr(server.heads[1], "POST /b?delete= "));
}

static void a_file_that_is_missing_does_not_stop_the_others(void)
{
    const struct stub_step step = {.answer = OK};
    struct bucket *bucket = serve(&step, 1);
    struct bucket_put puts[] = {small_put(), small_put()};
    puts[0].path = "/nonexistent";
    CHECK_INT(bucket_put(bucket, puts, 2, NULL, &arena, &err), -1);
    CHECK_INT(err.code, ERR_IO_ERROR);
    CHECK_INT(puts[1].err.code, ERR_NONE);
    end(bucket);
}

static void make_file(char *path, size_t len)
{
    static const char block[1 << 10] = "block";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    for (size_t at = 0; at < len; at += sizeof block) {
        size_t left = len - at < sizeof block ? len - at : sizeof block;
        CHECK(write(fd, block, left) == (ssize_t)left);
    }
    close(fd);
}

static void find_md5(void)
{
    char content[SMALL] = "block";
    uint8_t sum[DIGEST_LEN];
    struct digest *digest = digest_begin_md5();
    digest_add(digest, content, SMALL);
    digest_end(digest, sum);
    digest_hex(sum, small_md5);
}

int main(void)
{
    make_file(small_path, SMALL);
    make_file(large_path, LARGE);
    find_md5();
    RUN(what_may_pass_is_tried_again);
    RUN(what_will_not_pass_is_not);
    RUN(a_flipped_byte_is_noticed);
    RUN(one_denial_ends_all);
    RUN(only_the_failed_part_is_sent_again);
    RUN(a_lost_completion_is_found_out);
    RUN(a_wrong_size_is_no_success);
    RUN(a_failed_upload_is_aborted);
    RUN(nonsense_instead_of_an_upload_id_fails);
    RUN(a_stop_is_heard_while_the_server_hangs);
    RUN(a_lost_beginning_leaves_no_upload);
    RUN(a_probe_stores_nothing);
    RUN(a_probe_that_was_stored_is_deleted);
    RUN(a_file_that_is_missing_does_not_stop_the_others);
    unlink(small_path);
    unlink(large_path);
    arena_release(&arena);
    return 0;
}
