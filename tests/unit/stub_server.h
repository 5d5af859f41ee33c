/* An HTTP server for unit tests: plays a script, one step a request, on a loopback port and a
 * thread of its own. */
#ifndef TESTS_STUB_SERVER_H
#define TESTS_STUB_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

enum { STUB_STEPS = 64, STUB_HEAD = 4096, STUB_BODY = 2048 };

struct stub_step {
    const char *answer; /* sent as it is; NULL: hang up without a word */
    size_t len;         /* 0: strlen(answer) */
    bool keep;          /* keep the connection for the next step */
    bool reset;         /* RST instead of a close */
    bool hang;          /* send nothing more until the client goes away */
};
struct stub_server {
    struct stub_step steps[STUB_STEPS];
    size_t steps_len, served; /* served: read it after stub_stop */
    char heads[STUB_STEPS][STUB_HEAD];
    size_t body_lens[STUB_STEPS];
    char body[STUB_STEPS][STUB_BODY]; /* its beginning */
    int listener, port;
    pthread_t thread;
};

/* Reads head and body of one request; false: the client is gone. */
static inline bool stub_read(struct stub_server *server, int fd)
{
    char *head = server->heads[server->served];
    size_t len = 0;
    while (len < STUB_HEAD - 1) {
        if (recv(fd, head + len, 1, 0) != 1)
            return false;
        head[++len] = '\0';
        if (len >= 4 && memcmp(head + len - 4, "\r\n\r\n", 4) == 0)
            break;
    }
    const char *told = strcasestr(head, "\r\ncontent-length:");
    size_t left = told ? strtoul(told + 17, NULL, 10) : 0, at = 0;
    server->body_lens[server->served] = left;
    while (left > 0) {
        char piece[65536];
        ssize_t got = recv(fd, piece, left < sizeof piece ? left : sizeof piece, 0);
        if (got <= 0)
            return false;
        for (ssize_t i = 0; i < got && at + 1 < sizeof server->body[0]; i++)
            server->body[server->served][at++] = piece[i];
        left -= (size_t)got;
    }
    return true;
}

/* Returns whether the connection goes on. */
static inline bool stub_answer(const struct stub_step *step, int fd)
{
    if (step->answer) {
        size_t len = step->len ? step->len : strlen(step->answer), at = 0;
        while (at < len) {
            ssize_t sent = send(fd, step->answer + at, len - at, MSG_NOSIGNAL);
            if (sent <= 0)
                return false;
            at += (size_t)sent;
        }
    }
    if (step->hang) {
        char byte;
        (void)!recv(fd, &byte, 1, 0);
    }
    if (step->reset)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    return step->keep;
}

static inline void *stub_run(void *arg)
{
    struct stub_server *server = arg;
    while (server->served < server->steps_len) {
        int fd = accept(server->listener, NULL, NULL);
        if (fd < 0)
            break;
        bool keep = true;
        while (keep && server->served < server->steps_len && stub_read(server, fd)) {
            keep = stub_answer(&server->steps[server->served], fd);
            server->served++;
        }
        close(fd);
    }
    return NULL;
}

static inline void stub_start(struct stub_server *server, const struct stub_step *steps, size_t len)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t to_len = sizeof to;
    memset(server, 0, sizeof *server);
    memcpy(server->steps, steps, len * sizeof *steps);
    server->steps_len = len;
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(bind(server->listener, (struct sockaddr *)&to, sizeof to) == 0);
    CHECK(listen(server->listener, 16) == 0);
    CHECK(getsockname(server->listener, (struct sockaddr *)&to, &to_len) == 0);
    server->port = ntohs(to.sin_port);
    CHECK(pthread_create(&server->thread, NULL, stub_run, server) == 0);
}

static inline void stub_stop(struct stub_server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
}

#endif
