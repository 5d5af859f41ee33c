/* Requests against a scripted server: answers, limits, failures and the guard at connect time. */
#include "common/http.h"

#include <fcntl.h>

#include "common/clock.h"
#include "stub_server.h"

static struct stub_server server;
static char url[64];
static struct arena arena;

#define OK_HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"e\"\r\nX-Y:  z \r\n\r\nhello"

static struct http *open_http(const struct http_policy *policy)
{
    struct http *http = NULL;
    struct err err = {0};
    CHECK_INT(http_open(&http, policy, 4, &err), 0);
    return http;
}

static void serve(const struct stub_step *steps, size_t len)
{
    stub_start(&server, steps, len);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/path?secret=s", server.port);
}

static struct http_request get(void)
{
    return (struct http_request){.method = "GET", .url = url, .text.arena = &arena};
}

/* One GET against one answer: the code it ends with. */
static enum error code_of(const char *answer, struct http_request request)
{
    const struct stub_step step = {.answer = answer};
    const struct http_policy policy = {0};
    struct err err = {0};
    serve(&step, 1);
    struct http *http = open_http(&policy);
    request.url = url;
    http_perform(http, &request, &err);
    CHECK(!strstr(err.detail, "secret"));
    http_free(http);
    stub_stop(&server);
    return err.code;
}

static void an_answer_is_read(void)
{
    const struct stub_step steps[] = {
        {.answer = "HTTP/1.1 103 Early\r\nETag: \"no\"\r\n\r\n" OK_HELLO, .keep = true},
        {.answer = "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n"
                   "Retry-After: 7\r\n\r\n"}};
    const struct http_policy policy = {0};
    struct err err = {0};
    serve(steps, 2);
    struct http *http = open_http(&policy);
    struct http_request request = get();
    CHECK_INT(http_perform(http, &request, &err), 0);
    CHECK_INT(request.status, 200);
    CHECK_STR(request.text.at, "hello");
    CHECK_STR(request.etag, "\"e\"");
    CHECK_INT(request.content_length, 5);
    request = get();
    CHECK_INT(http_perform(http, &request, &err), 0);
    CHECK_INT(request.status, 302);
    CHECK_STR(request.location, "/x");
    CHECK_INT(request.retry_after_ms, 7000);
    http_free(http);
    stub_stop(&server);
    CHECK_INT(server.served, 2);
    CHECK(strstr(server.heads[0], "GET /path?secret=s HTTP/1.1\r\n") == server.heads[0]);
    CHECK(!strcasestr(server.heads[0], "accept-encoding"));
    arena_release(&arena);
}

static void failures_have_their_codes(void)
{
    CHECK_INT(code_of("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", get()),
              ERR_SOURCE_TRUNCATED);
    CHECK_INT(code_of(NULL, get()), ERR_SOURCE_UNREACHABLE);
    CHECK_INT(code_of("SSH-2.0-OpenSSH\r\n", get()), ERR_SOURCE_UNAVAILABLE);
    struct http_request small = get();
    small.max_bytes = 4;
    small.on_limit = ERR_SOURCE_TOO_LARGE;
    CHECK_INT(code_of(OK_HELLO, small), ERR_SOURCE_TOO_LARGE);
    CHECK_INT(code_of("HTTP/1.1 200 OK\r\n\r\nhello", small), ERR_SOURCE_TOO_LARGE);
    small.max_bytes = 5;
    CHECK_INT(code_of(OK_HELLO, small), ERR_NONE);
    arena_release(&arena);
}

static void endless_headers_end(void)
{
    enum { LEN = 300 << 10 };
    char *answer = malloc(LEN + 1);
    CHECK(answer);
    size_t at = (size_t)snprintf(answer, LEN, "HTTP/1.1 200 OK\r\n");
    while (at + 64 < LEN)
        at += (size_t)snprintf(answer + at, LEN - at, "X-Header: %050d\r\n", 1);
    CHECK_INT(code_of(answer, get()), ERR_SOURCE_REFUSED);
    free(answer);
    arena_release(&arena);
}

static void nobody_listening_is_unreachable(void)
{
    const struct http_policy policy = {0};
    struct err err = {0};
    serve(&(struct stub_step){0}, 0);
    stub_stop(&server);
    struct http *http = open_http(&policy);
    struct http_request request = get();
    CHECK_INT(http_perform(http, &request, &err), -1);
    CHECK_INT(err.code, ERR_SOURCE_UNREACHABLE);
    /* A label of more than 63 characters: no resolver asks anybody about it. */
    request.url =
        "http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example/";
    CHECK_INT(http_perform(http, &request, &err), -1);
    CHECK_INT(err.code, ERR_SOURCE_DNS_ERROR);
    http_free(http);
    arena_release(&arena);
}

/* The text of the URL is allowed here; what it connects to is not. */
static void the_guard_decides_at_connect_time(void)
{
    serve(&(struct stub_step){.answer = OK_HELLO}, 1);
    const int64_t ports[] = {server.port};
    const struct http_policy strict = {
        .guarded = true, .allowed_ports = ports, .allowed_ports_len = 1};
    struct err err = {0};
    char name[256] = "";
    CHECK(gethostname(name, sizeof name - 1) == 0);
    snprintf(url, sizeof url, "http://%.40s:%d/", name, server.port);
    struct http *http = open_http(&strict);
    struct http_request request = get();
    CHECK_INT(http_perform(http, &request, &err), -1);
    CHECK_INT(err.code, ERR_FORBIDDEN_ADDRESS);
    http_free(http);
    static const char *const cidr[] = {"127.0.0.0/8"};
    const struct http_policy open = {true, cidr, 1, ports, 1};
    snprintf(url, sizeof url, "http://localhost:%d/", server.port);
    http = open_http(&open);
    request = get();
    CHECK_INT(http_perform(http, &request, &err), 0);
    http_free(http);
    stub_stop(&server);
    arena_release(&arena);
}

static void a_file_is_sent_again_when_a_kept_connection_has_died(void)
{
    const struct stub_step steps[] = {
        {.answer = OK_HELLO, .keep = true}, {0}, {.answer = OK_HELLO}};
    const struct http_policy policy = {0};
    struct err err = {0};
    char path[] = "/tmp/http_test.XXXXXX", block[4096];
    int fd = mkstemp(path);
    memset(block, 'b', sizeof block);
    CHECK(fd >= 0 && unlink(path) == 0);
    for (int i = 0; i < 64; i++)
        CHECK(write(fd, block, sizeof block) == sizeof block);
    serve(steps, 3);
    struct http *http = open_http(&policy);
    struct http_request request = get();
    CHECK_INT(http_perform(http, &request, &err), 0);
    request = get();
    request.method = "PUT";
    request.body_fd = fd;
    request.body_offset = 4096;
    request.body_len = 63 * 4096;
    CHECK_INT(http_perform(http, &request, &err), 0);
    http_free(http);
    stub_stop(&server);
    close(fd);
    CHECK_INT(server.served, 3);
    CHECK_INT(server.body_lens[1], 63 * 4096);
    CHECK_INT(server.body_lens[2], 63 * 4096);
    CHECK(!strcasestr(server.heads[2], "expect:"));
    arena_release(&arena);
}

static bool always(void *arg)
{
    (void)arg;
    return true;
}

static void a_stopped_transfer_ends(void)
{
    const struct http_policy policy = {0};
    struct err err = {0};
    serve(&(struct stub_step){.answer = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx",
                              .hang = true},
          1);
    struct http *http = open_http(&policy);
    struct http_request request = get();
    request.stopped = always;
    CHECK_INT(http_perform(http, &request, &err), -1);
    CHECK_INT(err.code, ERR_CANCELLED);
    http_free(http);
    stub_stop(&server);
    arena_release(&arena);
}

/* Many: five requests, two at once, one of them not a URL, with a pause before the last. */
struct many {
    struct http_request requests[5];
    size_t next, done, failed;
    bool paused;
};

static struct http_request *many_next(void *arg, int64_t *wait_ms)
{
    struct many *many = arg;
    if (many->next == 5)
        return NULL;
    if (many->next == 4 && !many->paused) {
        many->paused = true;
        *wait_ms = 1;
        return NULL;
    }
    return &many->requests[many->next++];
}

static void many_done(void *arg, struct http_request *request)
{
    struct many *many = arg;
    many->done++;
    many->failed += request->err.code != ERR_NONE;
}

static void many_are_performed(void)
{
    const struct stub_step step = {.answer = OK_HELLO};
    const struct http_policy policy = {0};
    struct err err = {0};
    struct many many = {0};
    serve((struct stub_step[]){step, step, step, step}, 4);
    for (size_t i = 0; i < 5; i++)
        many.requests[i] = get();
    many.requests[1].url = "nothing";
    struct http *http = open_http(&policy);
    struct http_batch batch = {many_next, many_done, &many, 2};
    CHECK_INT(http_perform_all(http, &batch, &err), 0);
    CHECK_INT(many.done, 5);
    CHECK_INT(many.failed, 1);
    CHECK_INT(many.requests[1].err.code, ERR_INVALID_URL);
    CHECK_STR(many.requests[4].text.at, "hello");
    http_free(http);
    stub_stop(&server);
    arena_release(&arena);
}

/* Two: the second takes until the first is answered to be made. */
struct slow {
    struct http *http;
    struct http_request requests[2];
    size_t next, done;
};

static struct http_request *slow_next(void *arg, int64_t *wait_ms)
{
    struct slow *slow = arg;
    (void)wait_ms;
    if (slow->next == 1) {
        for (int i = 0; i < 5000 && slow->requests[0].text.len < 5; i++) {
            http_go_on(slow->http);
            clock_sleep_ms(1);
        }
        CHECK_STR(slow->requests[0].text.at, "hello");
        CHECK_INT(slow->done, 0); /* its owner is not told in the midst of this */
    }
    return slow->next < 2 ? &slow->requests[slow->next++] : NULL;
}

static void slow_done(void *arg, struct http_request *request)
{
    struct slow *slow = arg;
    slow->done++;
    CHECK_INT(request->err.code, ERR_NONE);
}

static void one_goes_on_while_the_next_is_made(void)
{
    const struct stub_step step = {.answer = OK_HELLO};
    const struct http_policy policy = {0};
    struct err err = {0};
    struct slow slow = {0};
    serve((struct stub_step[]){step, step}, 2);
    slow.requests[0] = slow.requests[1] = get();
    slow.http = open_http(&policy);
    struct http_batch batch = {slow_next, slow_done, &slow, 2};
    CHECK_INT(http_perform_all(slow.http, &batch, &err), 0);
    CHECK_INT(slow.done, 2);
    http_free(slow.http);
    stub_stop(&server);
    arena_release(&arena);
}

int main(void)
{
    RUN(an_answer_is_read);
    RUN(failures_have_their_codes);
    RUN(endless_headers_end);
    RUN(nobody_listening_is_unreachable);
    RUN(the_guard_decides_at_connect_time);
    RUN(a_file_is_sent_again_when_a_kept_connection_has_died);
    RUN(a_stopped_transfer_ends);
    RUN(many_are_performed);
    RUN(one_goes_on_while_the_next_is_made);
    return 0;
}
