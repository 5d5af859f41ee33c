/* The check of a bucket: every right is tried, and all that are missing are told. */
#include "s3_stub.h"

#define STORED "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
#define THERE "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: 32\r\nConnection: close\r\n\r\n"
#define DELETED ANSWER("<DeleteResult></DeleteResult>")

static int check_with(const struct stub_step *steps, size_t len)
{
    struct bucket *bucket = serve(steps, len);
    int result = bucket_check(bucket, &err);
    end(bucket);
    CHECK_INT(server.served, len);
    return result;
}

/* What the check itself has stored goes, whatever came of reading it. */
static void steps_that_fail_are_told(void)
{
    const struct stub_step steps[] = {
        {.answer = STORED},
        {.answer = "HTTP/1.1 403 X\r\nConnection: close\r\n\r\n"},
        {.answer = THERE "0123456789abcdef0123456789abcdef"},
        {.answer = ANSWER("<DeleteResult><Error><Key>k</Key><Code>AccessDenied</Code></Error>"
                          "</DeleteResult>")},
    };
    CHECK_INT(check_with(steps, 4), -1);
    CHECK_INT(err.code, ERR_STORAGE_AUTH);
    CHECK(strncmp(err.detail, "head: ", 6) == 0);
    CHECK(strstr(err.detail, "; get: what comes back is not what was stored; delete: "));
    CHECK(!strstr(err.detail, "put: "));
}

static void what_cannot_be_stored_is_not_read(void)
{
    const struct stub_step steps[] = {{.answer = REFUSAL("403", "AccessDenied")},
                                      {.answer = DELETED}};
    CHECK_INT(check_with(steps, 2), -1);
    CHECK_INT(err.code, ERR_STORAGE_AUTH);
    CHECK(strncmp(err.detail, "put: ", 5) == 0);
    CHECK(strstr(err.detail, "AccessDenied"));
    CHECK(strstr(server.heads[1], "POST /bu?delete= "));
}

/* Nothing to delete from. */
static void a_missing_bucket_is_told_at_once(void)
{
    const struct stub_step step = {.answer = REFUSAL("404", "NoSuchBucket")};
    CHECK_INT(check_with(&step, 1), -1);
    CHECK_INT(err.code, ERR_STORAGE_BUCKET);
}

int main(void)
{
    RUN(steps_that_fail_are_told);
    RUN(what_cannot_be_stored_is_not_read);
    RUN(a_missing_bucket_is_told_at_once);
    arena_release(&arena);
    return 0;
}
