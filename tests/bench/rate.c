/* Sends one request again and again at a constant rate over kept connections, and tells the
 * latencies. Each counts from when its request was due, not from when a connection was free for it:
 * what waits behind a server that stalls is late, too.
 *
 * usage: bench-rate PORT RATE SECONDS CONNECTIONS <REQUEST     the request as it goes over the
 * wire, at most 16 KiB */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 1024, REQUEST_MAX = 16384, ANSWER_MAX = 65536, EVENTS = 256 };
#define SECOND_NS INT64_C(1000000000)
#define PATIENCE_NS (10 * SECOND_NS) /* for the last answers */

struct connection {
    int fd;
    bool busy;
    int64_t due, idle_since; /* of the request that is out; when the last answer came */
    size_t len;
    char answer[ANSWER_MAX];
};

static struct {
    int poll;
    uint16_t port;
    char request[REQUEST_MAX];
    size_t request_len;
    int64_t rate, seconds, began;
    struct connection *connections;
    size_t connections_len, busy;
    int64_t *latencies,
        *lags; /* in ns; the lag is our own: due, a connection free, and not yet sent */
    int64_t due_len, sent, answered, answered_in_time, errors;
} run;

static int64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * SECOND_NS + time.tv_nsec;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void join(struct connection *connection)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(run.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    int one = 1;
    connection->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) < 0)
        fail("connect");
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (epoll_ctl(run.poll, EPOLL_CTL_ADD, connection->fd, &event) < 0)
        fail("epoll_ctl");
    connection->idle_since = now_ns();
}

static void finish(struct connection *connection, bool good)
{
    int64_t now = now_ns();
    run.latencies[run.answered++] = now - connection->due;
    if (good && now <= run.began + run.seconds * SECOND_NS)
        run.answered_in_time++;
    run.errors += !good;
    run.busy--;
    connection->busy = false;
    connection->len = 0;
    connection->idle_since = now;
}

static void broke(struct connection *connection)
{
    if (connection->busy)
        finish(connection, false);
    close(connection->fd);
    join(connection);
}

/* A small request fits into the buffer of an idle connection. */
static void ask(struct connection *connection)
{
    int64_t now = now_ns();
    connection->due = run.began + run.sent * SECOND_NS / run.rate;
    int64_t able =
        connection->due > connection->idle_since ? connection->due : connection->idle_since;
    run.lags[run.sent++] = now - able;
    connection->busy = true;
    run.busy++;
    if (send(connection->fd, run.request, run.request_len, MSG_NOSIGNAL) !=
        (ssize_t)run.request_len)
        broke(connection);
}

/* 0: more is to come; 1: a good answer is here; -1: one that is none, or of an error. */
static int judge(struct connection *connection)
{
    connection->answer[connection->len] = '\0';
    const char *end = strstr(connection->answer, "\r\n\r\n");
    if (!end)
        return 0;
    long status = strncmp(connection->answer, "HTTP/1.1 ", 9) == 0
                      ? strtol(connection->answer + 9, NULL, 10)
                      : 0;
    const char *length = strcasestr(connection->answer, "\r\nContent-Length:");
    if (status < 200 || status > 399 || ((!length || length > end) && status != 304))
        return -1;
    size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
    if (status == 304)
        body = 0;
    return connection->len >= (size_t)(end + 4 - connection->answer) + body;
}

static void hear(struct connection *connection)
{
    ssize_t got = recv(connection->fd, connection->answer + connection->len,
                       ANSWER_MAX - 1 - connection->len, 0);
    if (got <= 0 || !connection->busy) {
        broke(connection);
        return;
    }
    connection->len += (size_t)got;
    int judged = judge(connection);
    if (judged < 0 || (judged == 0 && connection->len == ANSWER_MAX - 1))
        broke(connection);
    else if (judged > 0)
        finish(connection, true);
}

/* When the next one is due and can be sent; a moment later if nothing can. */
static int64_t send_due(void)
{
    for (size_t i = 0; i < run.connections_len && run.sent < run.due_len; i++) {
        int64_t wait = run.began + run.sent * SECOND_NS / run.rate - now_ns();
        if (wait > 0)
            return wait;
        if (!run.connections[i].busy)
            ask(&run.connections[i]);
    }
    return run.sent < run.due_len && run.busy < run.connections_len ? 0 : SECOND_NS / 10;
}

static void work(void)
{
    struct epoll_event events[EVENTS];
    int64_t end = run.began + run.seconds * SECOND_NS + PATIENCE_NS;
    while ((run.sent < run.due_len || run.busy > 0) && now_ns() < end) {
        int64_t wait = send_due();
        struct timespec timeout = {.tv_sec = wait / SECOND_NS, .tv_nsec = wait % SECOND_NS};
        int len = epoll_pwait2(run.poll, events, EVENTS, &timeout, NULL);
        if (len < 0 && errno != EINTR)
            fail("epoll_pwait2");
        for (int i = 0; i < len; i++)
            hear(events[i].data.ptr);
    }
}

/* What was never answered took at least until now. */
static void give_up(void)
{
    for (size_t i = 0; i < run.connections_len; i++)
        if (run.connections[i].busy)
            finish(&run.connections[i], false);
    for (int64_t now = now_ns(); run.answered < run.due_len; run.errors++, run.sent++)
        run.latencies[run.answered++] = now - (run.began + run.sent * SECOND_NS / run.rate);
}

static int ascending(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* The nearest rank; in ms. */
static double percentile(const int64_t *sorted, int64_t len, double share)
{
    int64_t rank = (int64_t)(share * (double)len + 0.999999);
    return len ? (double)sorted[rank > 0 ? rank - 1 : 0] / 1e6 : 0;
}

static void report(int64_t sent)
{
    qsort(run.latencies, (size_t)run.answered, sizeof *run.latencies, ascending);
    qsort(run.lags, (size_t)sent, sizeof *run.lags, ascending);
    printf("{\"due\": %" PRId64 ", \"errors\": %" PRId64 ", \"per_s\": %.1f", run.due_len,
           run.errors, (double)run.answered_in_time / (double)run.seconds);
    const struct {
        const char *name;
        double share;
    } rows[] = {
        {"p50_ms", 0.5}, {"p90_ms", 0.9}, {"p99_ms", 0.99}, {"p999_ms", 0.999}, {"max_ms", 1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        printf(", \"%s\": %.3f", rows[i].name,
               percentile(run.latencies, run.answered, rows[i].share));
    printf(", \"client_p99_ms\": %.3f}\n", percentile(run.lags, sent, 0.99));
}

static int64_t number(const char *text, int64_t most)
{
    char *end;
    int64_t value = strtoll(text, &end, 10);
    if (*end || value < 1 || value > most) {
        fprintf(stderr, "bench-rate: not a number from 1 to %" PRId64 ": %s\n", most, text);
        exit(64);
    }
    return value;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: bench-rate PORT RATE SECONDS CONNECTIONS <REQUEST\n");
        return 64;
    }
    run.port = (uint16_t)number(argv[1], UINT16_MAX);
    run.rate = number(argv[2], 1000000);
    run.seconds = number(argv[3], 3600);
    run.connections_len = (size_t)number(argv[4], CONNECTIONS_MAX);
    run.request_len = fread(run.request, 1, sizeof run.request, stdin);
    run.due_len = run.rate * run.seconds;
    run.poll = epoll_create1(0);
    run.connections = calloc(run.connections_len, sizeof *run.connections);
    run.latencies = calloc((size_t)run.due_len, sizeof *run.latencies);
    run.lags = calloc((size_t)run.due_len, sizeof *run.lags);
    if (run.poll < 0 || !run.connections || !run.latencies || !run.lags)
        fail("start");
    for (size_t i = 0; i < run.connections_len; i++)
        join(&run.connections[i]);
    run.began = now_ns();
    work();
    int64_t sent = run.sent;
    give_up();
    report(sent);
    free(run.connections);
    free(run.latencies);
    free(run.lags);
    close(run.poll);
    return 0;
}
