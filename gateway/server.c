/* Opens the listening sockets, starts the threads, and waits for the signal that ends it all. */
#include "gateway/server.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "gateway/server_lane.h"

enum { LANES_MAX = 64, ADDRESS_MAX = 80, DRAIN_STEP_MS = 10 };

struct server {
    struct services *services;
    struct edge_peers *peers;
    struct pool *pool;
    struct api *apis; /* one for each pool thread */
    int threads;
    struct lane *lanes[LANES_MAX];
    size_t lanes_len;
    char address[ADDRESS_MAX], base_url[ADDRESS_MAX + 8];
};

/* --- listening --- */

static int listen_at(const struct addrinfo *at, struct err *err)
{
    const int on = 1;
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_errno(err, errno, "socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* inherited by what is accepted */
    if (bind(fd, at->ai_addr, at->ai_addrlen)) {
        err_set(err, ERR_CONFIG, "bind: %s", strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

static int resolve(const char *listen, struct addrinfo **out, struct err *err)
{
    char host[ADDRESS_MAX];
    const char *colon = strrchr(listen, ':');
    size_t len = colon ? (size_t)(colon - listen) : 0;
    if (len == 0 || len >= sizeof host)
        return err_set(err, ERR_CONFIG, "MEDIAFLEET_LISTEN must be address:port");
    memcpy(host, listen, len);
    host[len] = '\0';
    char *at = host;
    if (host[0] == '[' && host[len - 1] == ']') {
        host[len - 1] = '\0';
        at++;
    }
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    int failed = getaddrinfo(at, colon + 1, &hints, out);
    return failed ? err_set(err, ERR_CONFIG, "%s: %s", listen, gai_strerror(failed)) : 0;
}

/* The next lanes listen on the port that the first one got. */
static int describe(struct server *server, int fd, struct err *err)
{
    struct sockaddr_storage bound;
    socklen_t len = sizeof bound;
    char host[64], port[8];
    if (getsockname(fd, (struct sockaddr *)&bound, &len) ||
        getnameinfo((struct sockaddr *)&bound, len, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV))
        return err_set(err, ERR_INTERNAL, "getsockname failed");
    snprintf(server->address, sizeof server->address,
             bound.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
    return 0;
}

static int open_socket(struct server *server, const char *listen, struct err *err)
{
    struct addrinfo *found = NULL;
    if (resolve(listen, &found, err))
        return -1;
    int fd = listen_at(found, err);
    freeaddrinfo(found);
    if (fd < 0)
        return err_prefix(err, "listen on %s", listen);
    if (describe(server, fd, err)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* --- opening and closing --- */

static void run_on_pool(void *arg, int thread, struct request *request)
{
    struct server *server = arg;
    gate_run(&server->apis[thread], request);
}

static int open_lanes(struct server *server, struct err *err)
{
    const struct gateway_settings *settings = server->services->gateway;
    const struct lane_settings lane = {server->services, server->pool, server->peers};
    int64_t lanes = settings->lanes > 0 ? settings->lanes : sysconf(_SC_NPROCESSORS_ONLN);
    const char *listen = settings->listen;
    while (server->lanes_len < LANES_MAX && (int64_t)server->lanes_len < lanes) {
        int fd = open_socket(server, listen, err);
        if (fd < 0 || lane_open(&server->lanes[server->lanes_len], &lane, fd, err))
            return -1;
        server->lanes_len += 1;
        listen = server->address;
    }
    return 0;
}

static sigset_t ending_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    return signals;
}

void server_prepare_process(int64_t max_connections)
{
    const sigset_t signals = ending_signals();
    struct rlimit files;
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (getrlimit(RLIMIT_NOFILE, &files))
        return;
    rlim_t needed = (rlim_t)max_connections * 2 + 256; /* a file each, and our own */
    if (files.rlim_cur < needed)
        files.rlim_cur = needed < files.rlim_max ? needed : files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

int server_open(struct server **out, struct services *services, struct err *err)
{
    struct server *server = calloc(1, sizeof *server);
    const struct gateway_settings *settings = services->gateway;
    if (!server)
        abort();
    server->services = services;
    server->threads = (int)settings->api_threads;
    server->apis = calloc((size_t)server->threads, sizeof *server->apis);
    if (!server->apis)
        abort();
    for (int i = 0; i < server->threads; i++)
        server->apis[i].services = services;
    services->base_url = settings->public_url;
    server->peers =
        edge_peers_open(settings->max_connections, settings->max_connections_per_address);
    server->pool = pool_open(server->threads, (int)settings->queue_limit, run_on_pool, server);
    if (open_lanes(server, err)) {
        server_free(server);
        return -1;
    }
    if (!services->base_url) {
        snprintf(server->base_url, sizeof server->base_url, "http://%s", server->address);
        services->base_url = server->base_url;
    }
    *out = server;
    return 0;
}

const char *server_address(const struct server *server)
{
    return server->address;
}

static bool all_ended(const struct server *server)
{
    for (size_t i = 0; i < server->lanes_len; i++)
        if (!lane_ended(server->lanes[i]))
            return false;
    return true;
}

/* Lanes first, so that nothing new comes to the pool. */
static void stop(struct server *server)
{
    for (size_t i = 0; i < server->lanes_len; i++)
        lane_stop(server->lanes[i]);
    while (!all_ended(server))
        clock_sleep_ms(1);
    pool_free(server->pool);
    server->pool = NULL;
}

void server_run(struct server *server)
{
    const sigset_t signals = ending_signals();
    int number = 0;
    sigwait(&signals, &number);
    int64_t end = clock_mono_ms() + server->services->gateway->drain_s * 1000;
    log_event(LOG_INFO, "draining", "signal", strsignal(number), NULL);
    atomic_store(&server->services->draining, true);
    for (size_t i = 0; i < server->lanes_len; i++)
        lane_drain(server->lanes[i]);
    while (!all_ended(server) && clock_mono_ms() < end)
        clock_sleep_ms(DRAIN_STEP_MS);
    stop(server);
}

void server_free(struct server *server)
{
    if (!server)
        return;
    stop(server);
    for (size_t i = 0; i < server->lanes_len; i++)
        lane_free(server->lanes[i]);
    for (int i = 0; i < server->threads; i++)
        api_release(&server->apis[i]);
    edge_peers_free(server->peers);
    free(server->apis);
    free(server);
}
