/* Signed media URLs, and ranges of what they lead to. */
#include "gateway/media_url.h"

#include "check.h"
#include "gateway/range.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define PREFIX "projects/p/scenes/65a000000000000000000001/01J9ZZZZZZZZZZZZZZZZZZZZZZ/"

static struct arena arena;
static struct err err;
static char grant[128];

/* The grant of a path that media_url_path made. */
static const char *grant_of(const char *path)
{
    size_t len = strcspn(path + strlen("/media/"), "/");
    memcpy(grant, path + strlen("/media/"), len);
    grant[len] = '\0';
    return grant;
}

static void covers_the_job(void)
{
    const char *path = media_url_path(&arena, SECRET, 2000, PREFIX "hls/master.m3u8");
    CHECK(path && strstr(path, "/" PREFIX "hls/master.m3u8"));
    grant_of(path);
    CHECK_INT(media_url_check(grant, PREFIX "hls/master.m3u8", SECRET, 1999, &err), 0);
    CHECK_INT(media_url_check(grant, PREFIX "hls/v720/0001.m4s", SECRET, 1999, &err), 0);
    CHECK_INT(media_url_expires(grant), 2000);
    CHECK_INT(media_url_check(grant, PREFIX "hls/master.m3u8", SECRET, 2000, &err), -1);
    CHECK_INT(err.code, ERR_URL_EXPIRED);
}

static void covers_nothing_else(void)
{
    static const char *const keys[] = {
        "projects/p/scenes/65a000000000000000000001/01J9ZZZZZZZZZZZZZZZZZZZZZY/a.m3u8",
        "projects/q/scenes/65a000000000000000000001/01J9ZZZZZZZZZZZZZZZZZZZZZZ/a.m3u8",
    };
    grant_of(media_url_path(&arena, SECRET, 2000, PREFIX "a.m3u8"));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        CHECK_INT(media_url_check(grant, keys[i], SECRET, 1000, &err), -1);
        CHECK_INT(err.code, ERR_INVALID_SIGNATURE);
    }
    CHECK_INT(media_url_check(grant, PREFIX "a.m3u8", "another secret", 1000, &err), -1);
    CHECK_INT(err.code, ERR_INVALID_SIGNATURE);
}

static void bad_grants(void)
{
    static const char *const bad[] = {
        "", ".", "2000", "2000.", "x.AAAA", "-1.AAAA", "02000.AAAA", "99999999999999999999.AAAA"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_INT(media_url_check(bad[i], PREFIX "a", SECRET, 1000, &err), -1);
    grant_of(media_url_path(&arena, SECRET, 2000, PREFIX "a"));
    grant[0] = '3'; /* a later end needs another signature */
    CHECK_INT(media_url_check(grant, PREFIX "a", SECRET, 1000, &err), -1);
    CHECK_INT(err.code, ERR_INVALID_SIGNATURE);
}

static void keys_that_are_none(void)
{
    static const char *const keys[] = {
        "", "/etc/passwd", PREFIX "../../x", PREFIX "a//b", "other/x", "projects/p/scenes"};
    grant_of(media_url_path(&arena, SECRET, 2000, PREFIX "a"));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        CHECK_INT(media_url_check(grant, keys[i], SECRET, 1000, &err), -1);
        CHECK_INT(err.code, ERR_OBJECT_NOT_FOUND);
        CHECK(media_url_path(&arena, SECRET, 2000, keys[i]) == NULL);
    }
}

static void ranges(void)
{
    static const struct {
        const char *header;
        enum range_result result;
        int64_t offset, len;
    } cases[] = {
        {NULL, RANGE_WHOLE, 0, 0},
        {"bytes=0-", RANGE_PART, 0, 100},
        {"bytes=0-0", RANGE_PART, 0, 1},
        {"bytes=10-19", RANGE_PART, 10, 10},
        {"bytes=99-500", RANGE_PART, 99, 1},
        {"bytes=-10", RANGE_PART, 90, 10},
        {"bytes=-500", RANGE_PART, 0, 100},
        {"bytes=100-", RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-0", RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=19-10", RANGE_WHOLE, 0, 0},
        {"bytes=", RANGE_WHOLE, 0, 0},
        {"bytes=-", RANGE_WHOLE, 0, 0},
        {"bytes=a-b", RANGE_WHOLE, 0, 0},
        {"bytes=0-1,5-6", RANGE_WHOLE, 0, 0},
        {"bytes= 0-1", RANGE_WHOLE, 0, 0},
        {"bytes=--1", RANGE_WHOLE, 0, 0},
        {"bytes=0-99999999999999999999", RANGE_WHOLE, 0, 0},
        {"lines=0-1", RANGE_WHOLE, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t offset = 0, len = 0;
        CHECK_INT(range_parse(cases[i].header, 100, &offset, &len), cases[i].result);
        CHECK_INT(offset, cases[i].offset);
        CHECK_INT(len, cases[i].len);
    }
    int64_t offset, len;
    CHECK_INT(range_parse("bytes=0-", 0, &offset, &len), RANGE_UNSATISFIABLE);
}

int main(void)
{
    RUN(covers_the_job);
    RUN(covers_nothing_else);
    RUN(bad_grants);
    RUN(keys_that_are_none);
    RUN(ranges);
    arena_release(&arena);
    return 0;
}
