/* A lane: one thread with its event loop, HTTP server and edge; and the requests that are being
 * answered. */
#ifndef GATEWAY_SERVER_LANE_H
#define GATEWAY_SERVER_LANE_H

#include <event2/http.h>
#include <stdatomic.h>

#include "gateway/edge.h"
#include "gateway/gate.h"

struct lane;

struct lane_settings {
    struct services *services;
    struct pool *pool;
    struct edge_peers *peers;
};

/* Starts the thread. fd: a listening socket, whose owner the lane becomes. */
int lane_open(struct lane **out, const struct lane_settings *settings, int fd, struct err *err);
/* Any thread: stops accepting; the loop ends when everything is answered and written. */
void lane_drain(struct lane *lane);
/* Any thread: ends the loop at once. */
void lane_stop(struct lane *lane);
_Bool lane_ended(const struct lane *lane);
/* Joins the thread, closes its connections. Requests that others still hold must be back (pool and
 * committer closed). */
void lane_free(struct lane *lane);

/* evhttp's request → ours, copied into request->arena (server_request.c). */
void lane_read(struct evhttp_request *from, struct request *request);
/* request->reply → the connection (server_reply.c); closes the reply's file. `to` may be gone
 * (NULL). */
void lane_write(struct request *request, struct evhttp_request *to);

#endif
