/* A request without its connection: what the gate and the handlers read and fill. Knows nothing of
 * libevent. */
#ifndef GATEWAY_REQUEST_H
#define GATEWAY_REQUEST_H

#include <stdbool.h>

#include "common/arena.h"
#include "common/err.h"
#include "gateway/edge_head.h"
#include "gateway/reply.h"
#include "proto/route.h"

/* REQUEST_ANSWER: by then the client has its answer, if only that there is none. */
enum { REQUEST_ID_MAX = 64, REQUEST_ANSWER_MS = 1800 };

/* Who asks. */
struct identity {
    const char *name, *tenant;
    enum role role;
};

/* Headers that anybody looks at; NULL where absent. */
struct request_headers {
    const char *authorization, *content_type, *content_encoding, *idempotency_key, *if_none_match,
        *if_range, *range, *origin, *request_id, *preflight_method;
};

/* Belongs to one thread at a time: the lane, then an API thread or the committer, then the lane
 * again. */
struct request {
    struct arena arena;
    const char *method, *path, *query, *peer; /* query: what follows '?', or NULL */
    struct request_headers headers;
    const char *body;
    size_t body_len;
    bool refused;          /* by the edge, */
    enum edge_fault fault; /* for this */
    char id[REQUEST_ID_MAX + 1];
    int64_t began_ms; /* monotonic */

    const struct route *route; /* NULL until one was found */
    bool alias;
    struct capture captures[ROUTE_CAPTURES_MAX];
    size_t captures_len;
    struct identity who;
    const void *in; /* the decoded request document or query */

    struct reply reply;
    enum error error;   /* of a problem, */
    const char *detail; /* as the log tells it */

    /* The lane's: hands the request back to its lane, from any thread; its place there. */
    void (*done)(struct request *request);
    void *lane;
    struct request *next;
};

/* Makes it new but keeps the arena's block. */
void request_reset(struct request *request);

/* The captured segment of that name, copied, percent-decoded; NULL if it decodes to a NUL, control
 * characters or no UTF-8. */
const char *request_capture(struct request *request, const char *name);

#endif
