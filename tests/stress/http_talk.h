/* A client of a server on a loopback port that may hang up at any time. */
#ifndef TESTS_HTTP_TALK_H
#define TESTS_HTTP_TALK_H

#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

enum { PATIENCE_MS = 20000 };

static inline int talk_to(uint16_t port)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

static inline bool send_all(int fd, const char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t sent = send(fd, text + at, len - at, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += (size_t)sent;
    }
    return true;
}

/* Reads one answer; its status, or 0 when the connection ended first. */
static inline int read_answer(int fd, char *body, size_t room)
{
    char head[2048];
    size_t len = 0;
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    while (len < sizeof head - 1 && (len < 4 || memcmp(head + len - 4, "\r\n\r\n", 4) != 0)) {
        CHECK(poll(&readable, 1, PATIENCE_MS) == 1); /* whoever asks is answered, or cut off */
        if (recv(fd, head + len, 1, 0) != 1)
            return 0;
        len++;
    }
    head[len] = '\0';
    const char *told = strcasestr(head, "\r\ncontent-length:");
    if (!told)
        return 0; /* one connection too many: the edge tells that and closes */
    size_t left = strtoul(told + strlen("\r\ncontent-length:"), NULL, 10);
    CHECK(left < room);
    body[left] = '\0';
    if (left > 0 && recv(fd, body, left, MSG_WAITALL) != (ssize_t)left)
        return 0;
    return atoi(head + strlen("HTTP/1.1 "));
}

static inline size_t write_request(char *out, size_t room, const char *path, const char *body)
{
    return (size_t)snprintf(out, room,
                            "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n%s", path,
                            strlen(body), body);
}

#endif
