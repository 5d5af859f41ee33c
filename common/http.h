/* The one door to libcurl: one request, or many at once, with the egress guard. */
#ifndef COMMON_HTTP_H
#define COMMON_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/http_guard.h"
#include "common/http_url.h"

struct http; /* connections and handles of one thread */

enum { HTTP_ANSWER_MAX = 64 << 10 };

struct http_header {
    const char *name, *value;
};

/* The caller fills the first part; callbacks run on the calling thread. */
struct http_request {
    const char *method, *url;
    const struct http_header *headers;
    size_t headers_len;
    int body_fd; /* with body_len > 0 and no `body`: read by pread from body_offset */
    int64_t body_offset, body_len;
    const char *body;
    int connect_timeout_ms, total_timeout_ms; /* 0: 10 s; none, the low-speed limit bounds it */
    int low_speed_bytes, low_speed_s;         /* fewer bytes a second for so long end it */
    bool fresh; /* on a new connection: a kept one may be the trouble */
    /* Of the answer's body; more ends it with on_limit, before the first byte if its length was
     * told. 0: 64 KiB. */
    int64_t max_bytes;
    enum error on_limit;
    /* Called for each header of the final answer, then for each piece of the body; non-zero ends
     * the transfer, which then fails with the code in *err as set by the callback. Without `write`
     * the body is kept in `text`. */
    int (*header)(void *arg, int status, const char *name, const char *value, struct err *err);
    int (*write)(void *arg, int status, const char *bytes, size_t len, struct err *err);
    bool (*stopped)(void *arg); /* asked at least once a second; true ends it with ERR_CANCELLED */
    /* Body bytes sent since the last call; they count again after a rewind. */
    void (*sent)(void *arg, int64_t bytes);
    void *arg;
    /* The answer; known when the first piece of the body is handed over. Strings live in
     * text.arena. */
    struct text text; /* set .arena before */
    int status;
    const char *location; /* of a 3xx: redirects are the caller's business, hop by hop */
    int64_t retry_after_ms;
    const char *etag, *content_type, *last_modified, *content_range;
    int64_t content_length;   /* -1: not told */
    int64_t last_modified_ms; /* since 1970, 0: not told */
    struct err err; /* of the transport: timeouts, refused, TLS, dns; status 0: no answer began */
};

/* The policy is copied. max_connections are kept alive between requests. ERR_CONFIG: a CIDR is not
 * one. */
int http_open(struct http **out, const struct http_policy *policy, int max_connections,
              struct err *err);
void http_free(struct http *http);
/* Performs one. -1 only on transport failures, err is also copied to request->err. */
int http_perform(struct http *http, struct http_request *request, struct err *err);

/* Performs what `next` hands out, at most `parallel` at once, and calls `done` for each. next
 * returns NULL for "none now": it is asked again when a transfer has ended, or after *wait_ms if it
 * set that; the end is NULL without a wait while nothing is under way. -1 only if libcurl itself
 * fails. */
struct http_batch {
    struct http_request *(*next)(void *arg, int64_t *wait_ms);
    void (*done)(void *arg, struct http_request *request);
    void *arg;
    int parallel;
};
int http_perform_all(struct http *http, const struct http_batch *batch, struct err *err);
/* Within `next`, while it makes a request: those under way go on. Calls no `done`. */
void http_go_on(struct http *http);

#endif
