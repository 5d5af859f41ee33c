/* A TCP proxy inside a test, which cuts or freezes the connections that go through it. */
#ifndef TESTS_TCP_PROXY_H
#define TESTS_TCP_PROXY_H

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

enum { PROXY_PAIRS = 8 };
enum proxy_mode { PROXY_PASS, PROXY_FREEZE, PROXY_CUT, PROXY_END };

struct tcp_proxy {
    int listener;
    uint16_t port, target;
    int pairs[PROXY_PAIRS][2]; /* client, server; -1: free */
    pthread_t thread;
    _Atomic enum proxy_mode mode; /* CUT: resets all there are, and turns to PASS */
};

static void proxy_reset(int pair[2])
{
    const struct linger reset = {.l_onoff = 1};
    for (int i = 0; i < 2; i++) {
        setsockopt(pair[i], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(pair[i]);
        pair[i] = -1;
    }
}

static void proxy_accept(struct tcp_proxy *proxy)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(proxy->target),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int client = accept(proxy->listener, NULL, NULL), server = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(client >= 0 && connect(server, (const struct sockaddr *)&to, sizeof to) == 0);
    int free_pair = 0;
    while (free_pair < PROXY_PAIRS && proxy->pairs[free_pair][0] >= 0)
        free_pair++;
    CHECK(free_pair < PROXY_PAIRS);
    proxy->pairs[free_pair][0] = client;
    proxy->pairs[free_pair][1] = server;
}

static void proxy_forward(int pair[2], int from)
{
    char bytes[65536];
    ssize_t len = recv(pair[from], bytes, sizeof bytes, 0);
    if (len <= 0 || send(pair[!from], bytes, (size_t)len, MSG_NOSIGNAL) != len)
        proxy_reset(pair);
}

static void proxy_pass(struct tcp_proxy *proxy)
{
    struct pollfd fds[1 + 2 * PROXY_PAIRS] = {{.fd = proxy->listener, .events = POLLIN}};
    for (int i = 0; i < 2 * PROXY_PAIRS; i++)
        fds[1 + i] = (struct pollfd){.fd = proxy->pairs[i / 2][i % 2], .events = POLLIN};
    if (poll(fds, sizeof fds / sizeof fds[0], 5) <= 0)
        return;
    for (int i = 0; i < 2 * PROXY_PAIRS; i++)
        if (fds[1 + i].revents && proxy->pairs[i / 2][0] >= 0)
            proxy_forward(proxy->pairs[i / 2], i % 2);
    if (fds[0].revents)
        proxy_accept(proxy);
}

static void *proxy_run(void *arg)
{
    struct tcp_proxy *proxy = arg;
    for (;;) {
        enum proxy_mode mode = atomic_load(&proxy->mode);
        if (mode == PROXY_PASS)
            proxy_pass(proxy);
        else if (mode == PROXY_FREEZE)
            usleep(5000);
        for (int i = 0; mode >= PROXY_CUT && i < PROXY_PAIRS; i++)
            if (proxy->pairs[i][0] >= 0)
                proxy_reset(proxy->pairs[i]);
        if (mode == PROXY_END)
            return NULL;
        if (mode == PROXY_CUT)
            atomic_compare_exchange_strong(&proxy->mode, &mode, PROXY_PASS);
    }
}

static void proxy_start(struct tcp_proxy *proxy, uint16_t target)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    *proxy = (struct tcp_proxy){.listener = socket(AF_INET, SOCK_STREAM, 0), .target = target};
    memset(proxy->pairs, 0xFF, sizeof proxy->pairs);
    CHECK(bind(proxy->listener, (struct sockaddr *)&at, len) == 0);
    CHECK(listen(proxy->listener, PROXY_PAIRS) == 0);
    CHECK(getsockname(proxy->listener, (struct sockaddr *)&at, &len) == 0);
    proxy->port = ntohs(at.sin_port);
    CHECK(pthread_create(&proxy->thread, NULL, proxy_run, proxy) == 0);
}

static void proxy_stop(struct tcp_proxy *proxy)
{
    atomic_store(&proxy->mode, PROXY_END);
    pthread_join(proxy->thread, NULL);
    close(proxy->listener);
}

#endif
