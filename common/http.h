/* The one door to libcurl: one request, or many at once, with the egress guard. */
#ifndef COMMON_HTTP_H
#define COMMON_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"

struct http; /* connections and handles of one thread */

/* Which addresses may be connected to: the guard decides on the resolved address at connect time. */
struct http_policy {
    bool guarded;                      /* refuse private, loopback, link-local … (facts: security) and odd ports */
    const char *const *allowed_cidrs;  /* exceptions, "127.0.0.0/8" */
    size_t allowed_cidrs_len;
    const int64_t *allowed_ports;      /* beside 80 and 443 */
    size_t allowed_ports_len;
};

struct http_header {
    const char *name, *value;
};

/* The caller fills the first part; callbacks run on the calling thread. */
struct http_request {
    const char *method, *url;
    const struct http_header *headers;
    size_t headers_len;
    int body_fd; /* with body_len > 0: read by pread from body_offset; else `body` from memory */
    int64_t body_offset, body_len;
    const char *body;
    int connect_timeout_ms, total_timeout_ms; /* total 0: none, the low-speed limit bounds it */
    int low_speed_bytes, low_speed_s;
    int64_t max_bytes; /* of the answer; more ends it with on_limit; kept in `text` when there is no `write` */
    /* Called for each header of the final answer, then for each piece of the body; non-zero ends the transfer, which
     * then fails with the code in *err as set by the callback. */
    int (*header)(void *arg, int status, const char *name, const char *value, struct err *err);
    int (*write)(void *arg, int status, const char *bytes, size_t len, struct err *err);
    bool (*stopped)(void *arg);              /* asked at least once a second */
    void (*sent)(void *arg, int64_t bytes);  /* body bytes sent since the last call */
    void *arg;
    enum error on_limit;
    /* The answer. */
    int status;
    const char *location; /* of a 3xx: redirects are the caller's business, hop by hop */
    int64_t retry_after_ms;
    const char *etag, *content_type, *last_modified, *content_range;
    int64_t content_length; /* -1: not told */
    struct text text;       /* the body, when there is no `write`; set .arena before */
    struct err err;         /* of the transport: timeouts, refused, TLS, dns …; status 0 then */
};

int http_open(struct http **out, const struct http_policy *policy, int max_connections, struct err *err);
void http_free(struct http *http);
/* Performs one. -1 only on transport failures, err is also copied to request->err. */
int http_perform(struct http *http, struct http_request *request, struct err *err);
/* Performs what `next` hands out (NULL: no more for now), at most `parallel` at once, and calls `done` for each. */
int http_perform_all(struct http *http, int parallel, struct http_request *(*next)(void *arg),
                     void (*done)(void *arg, struct http_request *request), void *arg, struct err *err);

/* Judges a URL by its text: scheme http or https, no userinfo, no control characters, spaces or backslash, port and
 * literal address allowed by the policy; every spelling of an address (decimal, octal, hex, short, mapped) counts.
 * Codes: ERR_UNSUPPORTED_SCHEME, _INVALID_URL, _FORBIDDEN_PORT, _FORBIDDEN_ADDRESS, _URL_TOO_LONG (8,192). */
int http_check_url(const char *url, const struct http_policy *policy, struct err *err);
/* `location` relative to `base`, as an absolute URL. */
int http_resolve(const char *base, const char *location, struct arena *arena, const char **out, struct err *err);

#endif
