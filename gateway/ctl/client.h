/* The gateway as mediafleetctl sees it: one request at a time, answers as documents or as problems.
 */
#ifndef GATEWAY_CTL_CLIENT_H
#define GATEWAY_CTL_CLIENT_H

#include "common/http.h"
#include "proto/doc.h"

struct client_settings {
    const char *url, *api_key; /* MEDIAFLEET_URL, MEDIAFLEET_API_KEY */
};
extern const struct doc client_settings_doc;

struct client {
    struct client_settings settings;
    struct http *http;
};

struct client_request {
    const char *method, *path;   /* the path with its query, already escaped */
    const char *body;            /* JSON, or NULL */
    const char *idempotency_key; /* or NULL */
    const char *etag;            /* of the answer that is known already, or NULL */
    int64_t patience_ms; /* for how long it is tried again while nobody answers or the gateway is
                            busy */
    const struct doc *answer_doc; /* what the answer is; fields that it does not know are ignored */
};

struct client_answer {
    struct text json; /* as received; empty if nothing changed since `etag` */
    const char *etag; /* or NULL */
    bool unchanged;
};

/* settings are kept by reference. */
int client_open(struct client *client, const struct client_settings *settings, struct err *err);
void client_release(struct client *client);

/* Fills `answer` and, unless unchanged, *out: the struct of answer_doc; all memory is the arena's.
 * A problem document becomes its code and detail. */
int client_call(struct client *client, const struct client_request *request, struct arena *arena,
                struct client_answer *answer, void *out, struct err *err);

#endif
