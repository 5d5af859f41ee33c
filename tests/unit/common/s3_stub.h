/* An R2 bucket behind a scripted server, for tests of calls that read answers. */
#ifndef TESTS_S3_STUB_H
#define TESTS_S3_STUB_H

#include "common/bucket_admin.h"
#include "stub_server.h"

static struct stub_server server;
static struct arena arena;
static struct err err;

#define ANSWER(body) "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" body
#define REFUSAL(status, code)                                                                      \
    "HTTP/1.1 " status " X\r\nConnection: close\r\n\r\n<Error><Code>" code "</Code></Error>"

static inline struct bucket *serve(const struct stub_step *steps, size_t len)
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

static inline void end(struct bucket *bucket)
{
    bucket_free(bucket);
    stub_stop(&server);
}

#endif
