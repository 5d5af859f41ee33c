/* A request without its connection: what the gate and the handlers read and fill. Knows nothing of
 * libevent. */
#ifndef GATEWAY_REQUEST_H
#define GATEWAY_REQUEST_H

#include <stdbool.h>

#include "common/arena.h"
#include "common/err.h"
#include "gateway/edge_head.h"
#include "proto/route.h"

enum { REQUEST_ID_MAX = 64, REPLY_HEADERS_MAX = 12 };

/* Who asks. */
struct identity {
    const char *name, *tenant;
    enum role role;
};

struct reply_header {
    const char *name, *value;
};
/* fd ≥ 0: the body is that part of the file, and whoever sends the reply closes it. */
struct reply {
    int status;
    const char *content_type; /* NULL: no body */
    struct text body;
    struct reply_header headers[REPLY_HEADERS_MAX];
    size_t headers_len;
    bool close;
    int fd;
    int64_t file_offset, file_len;
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

void reply_header(struct request *request, const char *name, const char *value);
/* One JSON answer by its table. */
void reply_document(struct request *request, int status, const struct doc *doc,
                    const void *document);
/* RFC 9457; adds WWW-Authenticate to 401 and Retry-After to 429 and 503. */
void reply_problem(struct request *request, const struct err *err);
/* "OK", "Not Found" … */
const char *reply_title(int status);

#endif
