/* The edge: a filter under evhttp that lets only strictly framed requests through, within limits of
 * size, time and number of connections, and writes the answers itself. */
#ifndef GATEWAY_EDGE_H
#define GATEWAY_EDGE_H

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdbool.h>

#include "common/err.h"
#include "gateway/edge_head.h"
#include "gateway/edge_peers.h"

/* What evhttp is given in place of a request that is refused: "/.refused/<fault>". It is answered
 * like any other, in order; a client that asks for it by itself gets no more than the same answer.
 */
#define EDGE_REFUSED_PATH "/.refused/"
/* A fault found after the head went on is told by a body of EDGE_BODY_MAX + fault bytes. */
enum { EDGE_BODY_LIMIT = EDGE_BODY_MAX + EDGE_FAULT_COUNT };

struct edge_limits {
    int64_t header_timeout_ms; /* from the accept or the head's first byte to its last */
    int64_t body_timeout_ms;   /* from the head's last byte to the body's */
};

struct edge; /* of one lane; belongs to its thread */

/* peers is shared by the lanes and outlives them. */
int edge_open(struct edge **out, struct event_base *base, const struct edge_limits *limits,
              struct edge_peers *peers, struct err *err);
/* After evhttp_free: there must be no connection left. */
void edge_free(struct edge *edge);

/* For evhttp_set_bevcb, with the edge as argument. */
struct bufferevent *edge_bufferevent(struct event_base *base, void *edge);
/* After every evhttp_send_reply: writes what the socket takes now, the rest when it can. */
void edge_flush(struct bufferevent *bufferevent);
/* Whether answers wait for their clients. */
bool edge_writing(const struct edge *edge);

#endif
