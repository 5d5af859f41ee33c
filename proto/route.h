/* Every route of the gateway, one row each: the router, the 405 answer, OpenAPI and the access check read it. */
#ifndef PROTO_ROUTE_H
#define PROTO_ROUTE_H

#include "proto/doc.h"

enum { ROUTE_CAPTURES_MAX = 3 };

/* Each role may do what the ones before it may. ROLE_NONE: open to everybody. */
enum role { ROLE_NONE, ROLE_VIEWER, ROLE_OPERATOR, ROLE_ADMIN };
extern const char *const role_names[];

enum route_id {
    ROUTE_HEALTHZ,
    ROUTE_READYZ,
    ROUTE_METRICS,
    ROUTE_OPENAPI,
    ROUTE_MEDIA_STORE,
    ROUTE_HELLO,
    ROUTE_JOBS,
    ROUTE_JOB,
    ROUTE_JOB_CANCEL,
    ROUTE_JOB_RETRY,
    ROUTE_SCENE,
    ROUTE_WORKERS,
    ROUTE_QUEUES,
    ROUTE_QUOTA,
    ROUTE_QUOTA_PUT,
    ROUTE_BUCKET_USAGE,
    ROUTE_USAGE_HISTORY,
    ROUTE_LEDGER_USAGE,
    ROUTE_PROJECT_DELETE,
    ROUTE_PROJECT_FILES,
    ROUTE_PROJECT_CLEANUP,
    ROUTE_MEDIA,
    ROUTE_STORAGE_RECONCILE,
    ROUTE_STORAGE_MIGRATE,
    ROUTE_STORAGE_DUPLICATES,
    ROUTE_STORAGE_CLEANUP,
    ROUTE_STORAGE_LIFECYCLE,
    ROUTE_COUNT
};

enum route_flags {
    ROUTE_MAKES_JOB = 1, /* 202 with Location and Retry-After; takes an Idempotency-Key */
    ROUTE_SIGNED = 2     /* no credentials: the path carries a signature */
};

struct route {
    const char *method; /* "GET" answers HEAD, too */
    /* Segments are literal or "{name}", which captures one segment; "{name…}" at the end captures the rest. */
    const char *path;
    const char *alias; /* an older path of the same row, lenient about unknown fields; or NULL */
    enum role role;
    unsigned flags;
    int status;                 /* of success */
    const struct doc *query;    /* of the query string, or NULL: not looked at */
    const struct doc *request;  /* of the JSON body, or NULL: none is taken */
    const struct doc *response; /* of the JSON answer, or NULL: see content_type */
    const char *content_type;   /* of an answer that is no document */
    const char *text;           /* one sentence */
};

extern const struct route routes[ROUTE_COUNT];

/* Where the captured segments lie in the path that was matched. */
struct capture {
    const char *name; /* in the row's path, `name_len` bytes */
    size_t name_len;
    const char *at; /* in the matched path, `len` bytes, as sent */
    size_t len;
};

/* Whether `path` (without the query; one slash at the end of either is ignored) has the form of `pattern`. Fills captures (up to
 * ROUTE_CAPTURES_MAX) and their number. Captured segments are never empty. */
bool route_match(const char *pattern, const char *path, struct capture *captures, size_t *len);

#endif
