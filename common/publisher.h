/* The publishing side of RabbitMQ: own connection, own thread, pipelined confirms. */
#ifndef COMMON_PUBLISHER_H
#define COMMON_PUBLISHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "proto/kind.h"

struct publisher;

/* Starts the thread; it connects by itself, with backoff, and declares the topology. */
int publisher_open(struct publisher **out, const char *amqp_url, const char *app, struct err *err);
/* Waits at most drain_ms for what is queued, then closes. */
void publisher_free(struct publisher *publisher, int drain_ms);

/* One ticket. done is called exactly once from the publisher's thread: true when the broker
 * confirmed it routed; false on nack, return, loss of the connection, no connection, a blocked
 * broker, or after 5 s (up to 15 s later while an attempt to connect hangs). It must not block. */
struct publication {
    enum kind kind;
    const char *job; /* a ULID; copied */
    int64_t task;
    void (*done)(void *arg, bool confirmed); /* or NULL */
    void *arg;
};
/* Queues them for sending and returns at once. Any thread. -1 (none queued) when more than 65,536
 * wait: ERR_OVERLOADED. */
int publisher_send(struct publisher *publisher, const struct publication *publications, size_t len,
                   struct err *err);

/* A message that nobody could read, on its way to the dead-letter exchange with headers that say
 * the rest (proto/topology.h); the caller's until done, which is called as a publication's. */
struct dead_letter {
    const char *body; /* its beginning */
    size_t len;
    int64_t bytes;      /* of the whole message */
    const char *queue;  /* where it was taken from: the routing key */
    const char *reason; /* text of the error */
    const char *worker; /* who took it */
    void (*done)(void *arg, bool confirmed);
    void *arg;
};
int publisher_bury(struct publisher *publisher, const struct dead_letter *letter, struct err *err);

/* Messages ready in the kind's queue (KIND_NONE: the dead-letter queue) and its consumers, by a
 * passive declare on the publisher's connection. Blocks ≤ 2 s. unconfirmed: those of this publisher
 * that were on their way when it asked, whether `ready` has them already or not. */
struct queue_depth {
    int64_t ready, consumers, unconfirmed;
};
int publisher_depth(struct publisher *publisher, enum kind kind, struct queue_depth *out,
                    struct err *err);
bool publisher_connected(const struct publisher *publisher);
bool publisher_blocked(const struct publisher *publisher); /* the broker said connection.blocked */
/* 0 while tickets can be published, else -1 and why: ERR_BROKER_UNAVAILABLE, or ERR_CONFIG when the
 * broker refuses our topology's arguments. */
int publisher_check(struct publisher *publisher, struct err *err);

#endif
