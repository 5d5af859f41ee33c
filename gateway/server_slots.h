/* The requests that a lane is answering, and spare ones for the next; belongs to the lane's thread.
 */
#ifndef GATEWAY_SERVER_SLOTS_H
#define GATEWAY_SERVER_SLOTS_H

#include <event2/http.h>

#include "gateway/request.h"

struct slots;

/* Never moves while it is taken. to NULL: the connection is gone. */
struct slot {
    struct slots *slots;
    void *owner; /* as given to slots_open */
    struct request *request;
    struct evhttp_request *to;
    struct slot *next; /* of the free ones */
    struct slot *older, *newer;
    bool watched; /* stands between these two, until its time is over (server_late.h) */
    bool late;    /* was answered without its request, which is still out */
};

struct slots *slots_open(void *owner);
/* Requests that are still in slots are dropped: nobody else may hold them. */
void slots_free(struct slots *slots);

/* With a new request in it. */
struct slot *slots_take(struct slots *slots, struct evhttp_request *to);
void slots_give(struct slot *slot);
size_t slots_busy(const struct slots *slots);

#endif
