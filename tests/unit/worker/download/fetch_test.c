/* Downloads from a scripted server: cut, changed, endless, refused, redirected. */
#include "worker/download/fetch.h"

#include <fcntl.h>

#include "stub_server.h"

enum { LEN = 10000 };

static struct stub_server server;
static struct arena arena;
static struct err err;
static char media[LEN + 1]; /* looks like an MP4, has no NUL inside */
static char path[] = "/tmp/fetch_test.XXXXXX";
static int64_t counted;

static void on_progress(void *arg, int64_t got, int64_t bytes, int64_t total)
{
    (void)arg;
    (void)bytes;
    (void)total;
    counted += got;
}

/* An answer of `head` and the media's bytes from … to. */
static struct stub_step bytes_step(const char *head, size_t from, size_t to)
{
    char *answer = arena_alloc(&arena, strlen(head) + (to - from) + 1);
    memcpy(answer, head, strlen(head));
    memcpy(answer + strlen(head), media + from, to - from);
    return (struct stub_step){.answer = answer, .len = strlen(head) + (to - from)};
}
#define WHOLE "HTTP/1.1 200 OK\r\nContent-Length: 10000\r\nETag: \"v1\"\r\n\r\n"
#define REST(from)                                                                                 \
    "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " from                                   \
    "-9999/10000\r\nETag: \"v1\"\r\n\r\n"

static struct fetch fetch_of(const struct stub_step *steps, size_t len)
{
    static const char *const local[] = {"127.0.0.0/8"};
    stub_start(&server, steps, len);
    const int64_t ports[] = {server.port};
    const struct http_policy policy = {true, local, 1, ports, 1};
    struct fetch fetch = {
        .url = arena_printf(&arena, "http://127.0.0.1:%d/a?token=secret", server.port),
        .path = path,
        .max_bytes = 1 << 20,
        .max_redirects = 3,
        .pause_ms = 1,
        .progress = on_progress,
        .arena = &arena};
    CHECK_INT(http_open(&fetch.http, &policy, 1, &err), 0);
    return fetch;
}

static enum error run(struct fetch *fetch)
{
    err = (struct err){0};
    counted = 0;
    int failed = fetch_file(fetch, &err);
    http_free(fetch->http);
    stub_stop(&server);
    CHECK_INT(failed, err.code ? -1 : 0);
    CHECK(!strstr(err.detail, "secret"));
    CHECK_INT(access(path, F_OK), failed ? -1 : 0);
    return err.code;
}

static void check_media(const struct fetch *fetch)
{
    char read_back[LEN + 1];
    uint8_t sum[DIGEST_LEN];
    char hex[DIGEST_HEX_LEN + 1];
    int fd = open(path, O_RDONLY);
    CHECK_INT(read(fd, read_back, sizeof read_back), LEN);
    close(fd);
    CHECK(memcmp(read_back, media, LEN) == 0);
    digest_sha256(media, LEN, sum);
    digest_hex(sum, hex);
    CHECK_STR(fetch->sha256, hex);
    CHECK_INT(fetch->size_bytes, LEN);
    CHECK_STR(fetch->type->extension, ".mp4");
}

static enum error code_of(const char *answer)
{
    struct stub_step step = {.answer = answer};
    struct fetch fetch = fetch_of(&step, 1);
    return run(&fetch);
}

static void a_file_is_fetched(void)
{
    struct stub_step step = bytes_step(WHOLE, 0, LEN);
    struct fetch fetch = fetch_of(&step, 1);
    CHECK_INT(run(&fetch), ERR_NONE);
    check_media(&fetch);
    CHECK_STR(fetch.etag, "\"v1\"");
    CHECK(!strchr(fetch.final_url, '?'));
    CHECK_INT(fetch.resumed, 0);
    CHECK_INT(counted, LEN);
}

static void a_cut_transfer_is_continued(void)
{
    struct stub_step steps[] = {bytes_step(WHOLE, 0, 5000), bytes_step(REST("5000"), 5000, 7000),
                                bytes_step(REST("7000"), 7000, LEN)};
    struct fetch fetch = fetch_of(steps, 3);
    CHECK_INT(run(&fetch), ERR_NONE);
    check_media(&fetch);
    CHECK_INT(fetch.resumed, 2);
    CHECK_INT(counted, LEN);
    CHECK(strstr(server.heads[1], "\r\nRange: bytes=5000-\r\n"));
    CHECK(strstr(server.heads[1], "\r\nIf-Range: \"v1\"\r\n"));
    CHECK(strstr(server.heads[2], "\r\nRange: bytes=7000-\r\n"));
    CHECK(!strstr(server.heads[0], "Range"));
}

static void a_changed_source_is_fetched_anew(void)
{
    char *old = arena_strdup(&arena, media);
    memset(old + 100, 'o', 4000);
    struct stub_step steps[] = {{.answer = arena_printf(&arena, WHOLE "%.5000s", old)},
                                bytes_step(WHOLE, 0, LEN)};
    struct fetch fetch = fetch_of(steps, 2);
    CHECK_INT(run(&fetch), ERR_NONE);
    check_media(&fetch);
}

/* 206, but of another version, of other bytes, or without saying of which: none is trusted. */
static void wrong_continuations_are_not_taken(void)
{
    static const char *const heads[] = {
        "HTTP/1.1 206 Partial\r\nContent-Range: bytes 5000-9999/10000\r\nETag: \"v2\"\r\n\r\n",
        "HTTP/1.1 206 Partial\r\nContent-Range: bytes 4000-9999/10000\r\n\r\n",
        "HTTP/1.1 206 Partial\r\nContent-Range: bytes 5000-9999/20000\r\n\r\n",
        "HTTP/1.1 206 Partial\r\n\r\n",
        "HTTP/1.1 416 Range Not Satisfiable\r\n\r\nno",
    };
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct stub_step steps[] = {bytes_step(WHOLE, 0, 5000), bytes_step(heads[i], 5000, LEN),
                                    bytes_step(WHOLE, 0, LEN)};
        struct fetch fetch = fetch_of(steps, 3);
        CHECK_INT(run(&fetch), ERR_NONE);
        check_media(&fetch);
        CHECK(!strstr(server.heads[2], "Range"));
    }
}

/* A weak ETag and no date: nothing says that the rest belongs to what we have. */
static void without_a_validator_it_starts_again(void)
{
    struct stub_step steps[] = {
        bytes_step("HTTP/1.1 200 OK\r\nContent-Length: 10000\r\nETag: W/\"v\"\r\n\r\n", 0, 6000),
        bytes_step("HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n", 0, LEN)};
    struct fetch fetch = fetch_of(steps, 2);
    CHECK_INT(run(&fetch), ERR_NONE);
    check_media(&fetch);
    CHECK(!strstr(server.heads[1], "Range"));
}

static void continuing_is_bounded(void)
{
    struct stub_step steps[STUB_STEPS];
    for (size_t i = 0; i < 20; i++)
        steps[i] = i == 0 ? bytes_step(WHOLE, 0, 5000) : bytes_step(REST("5000"), 5000, 5000);
    struct fetch fetch = fetch_of(steps, 20);
    CHECK_INT(run(&fetch), ERR_SOURCE_TRUNCATED);
    CHECK_INT(server.served, 1 + FETCH_IDLE_MAX);
    for (size_t i = 0; i < 20; i++) /* a little more each time */
        steps[i] =
            i == 0 ? bytes_step(WHOLE, 0, 5000)
                   : bytes_step(arena_printf(&arena, REST("%zu"), 4999 + i), 4999 + i, 5000 + i);
    fetch = fetch_of(steps, 20);
    CHECK_INT(run(&fetch), ERR_SOURCE_TRUNCATED);
    CHECK_INT(server.served, 1 + FETCH_RESUMES_MAX);
}

static void refusals_have_their_codes(void)
{
    CHECK_INT(code_of("HTTP/1.1 404 Not Found\r\n\r\nno"), ERR_SOURCE_NOT_FOUND);
    CHECK_INT(code_of("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"), ERR_SOURCE_NOT_FOUND);
    CHECK_INT(code_of("HTTP/1.1 404 Not Found\r\nContent-Length: 50000000000\r\n\r\nno"),
              ERR_SOURCE_NOT_FOUND);
    CHECK_INT(code_of("HTTP/1.1 401 Unauthorized\r\n\r\n"), ERR_SOURCE_FORBIDDEN);
    CHECK_INT(code_of("HTTP/1.1 403 Forbidden\r\n\r\n"), ERR_SOURCE_FORBIDDEN);
    CHECK_INT(code_of("HTTP/1.1 418 Teapot\r\n\r\n"), ERR_SOURCE_REFUSED);
    CHECK_INT(code_of("HTTP/1.1 304 Not Modified\r\n\r\n"), ERR_SOURCE_REFUSED);
    CHECK_INT(code_of("HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-1/2\r\n\r\nab"),
              ERR_SOURCE_REFUSED);
    CHECK_INT(code_of("HTTP/1.1 500 Oops\r\n\r\n"), ERR_SOURCE_UNAVAILABLE);
    CHECK_INT(code_of("HTTP/1.1 429 Slow\r\nRetry-After: 30\r\n\r\nx"), ERR_SOURCE_UNAVAILABLE);
    CHECK_INT(err.retry_after_ms, 30000);
    CHECK_INT(code_of("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), ERR_EMPTY_SOURCE);
    CHECK_INT(code_of("HTTP/1.1 200 OK\r\n\r\n"), ERR_EMPTY_SOURCE);
    CHECK_INT(code_of("HTTP/1.1 200 OK\r\nContent-Length: 50000000000\r\n\r\n"),
              ERR_SOURCE_TOO_LARGE);
    CHECK_INT(code_of("HTTP/1.1 200 OK\r\n\r\n<html>Sign in"), ERR_UNSUPPORTED_MEDIA);
    CHECK(strstr(err.detail, "HTML"));
}

static void an_endless_body_ends_at_the_limit(void)
{
    struct stub_step step = bytes_step("HTTP/1.1 200 OK\r\n\r\n", 0, LEN);
    struct fetch fetch = fetch_of(&step, 1);
    fetch.max_bytes = LEN - 1;
    CHECK_INT(run(&fetch), ERR_SOURCE_TOO_LARGE);
    step = bytes_step("HTTP/1.1 200 OK\r\n\r\n", 0, LEN);
    fetch = fetch_of(&step, 1);
    fetch.max_bytes = LEN;
    CHECK_INT(run(&fetch), ERR_NONE);
}

/* The rest is not even read. */
static void what_is_no_media_ends_early(void)
{
    char *page = arena_alloc(&arena, 60000);
    memset(page, ' ', 59999);
    memcpy(page, "HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n<html>", 49);
    struct stub_step step = {.answer = page, .hang = true};
    struct fetch fetch = fetch_of(&step, 1);
    CHECK_INT(run(&fetch), ERR_UNSUPPORTED_MEDIA);
}

static enum error redirected(const char *location, size_t times, int64_t *served)
{
    struct stub_step steps[8];
    for (size_t i = 0; i < times; i++)
        steps[i] = (struct stub_step){
            .answer = arena_printf(
                &arena, "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 4\r\n\r\nmore",
                location)};
    steps[times] = bytes_step(WHOLE, 0, LEN);
    struct fetch fetch = fetch_of(steps, times + 1);
    enum error code = run(&fetch);
    *served = (int64_t)server.served;
    if (code == ERR_NONE)
        check_media(&fetch);
    return code;
}

static void redirects_are_followed_and_judged(void)
{
    int64_t served;
    CHECK_INT(redirected("/b?token=secret", 3, &served), ERR_NONE);
    CHECK(strstr(server.heads[1], "GET /b?token=secret "));
    CHECK_INT(redirected("/b", 4, &served), ERR_TOO_MANY_REDIRECTS);
    CHECK_INT(served, 4);
    CHECK_INT(redirected("http://169.254.169.254/latest/", 1, &served), ERR_FORBIDDEN_ADDRESS);
    CHECK_INT(served, 1);
    CHECK_INT(redirected("http://[::1]/", 1, &served), ERR_FORBIDDEN_ADDRESS);
    CHECK_INT(redirected("file:///etc/passwd", 1, &served), ERR_UNSUPPORTED_SCHEME);
    CHECK_INT(redirected("ftp://example.com/", 1, &served), ERR_UNSUPPORTED_SCHEME);
    CHECK_INT(redirected("http://127.0.0.1:22/", 1, &served), ERR_FORBIDDEN_PORT);
    CHECK_INT(redirected("http://user@127.0.0.1/", 1, &served), ERR_INVALID_URL);
}

static bool always(void *arg)
{
    (void)arg;
    return true;
}

static void a_stopped_download_ends(void)
{
    struct stub_step step = bytes_step(WHOLE, 0, 5000);
    step.hang = true;
    struct fetch fetch = fetch_of(&step, 1);
    fetch.stopped = always;
    CHECK_INT(run(&fetch), ERR_CANCELLED);
}

int main(void)
{
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    close(fd);
    for (size_t i = 0; i < LEN; i++)
        media[i] = (char)('a' + i % 23);
    memcpy(media, "abcdftypisom", 12);
    RUN(a_file_is_fetched);
    RUN(a_cut_transfer_is_continued);
    RUN(a_changed_source_is_fetched_anew);
    RUN(wrong_continuations_are_not_taken);
    RUN(without_a_validator_it_starts_again);
    RUN(continuing_is_bounded);
    RUN(refusals_have_their_codes);
    RUN(an_endless_body_ends_at_the_limit);
    RUN(what_is_no_media_ends_early);
    RUN(redirects_are_followed_and_judged);
    RUN(a_stopped_download_ends);
    unlink(path);
    arena_release(&arena);
    return 0;
}
