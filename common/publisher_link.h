/* The publisher's own thread: sends, and reads what the broker answers. Only publisher.c includes
 * this. */
#ifndef COMMON_PUBLISHER_LINK_H
#define COMMON_PUBLISHER_LINK_H

#include <stdbool.h>

#include "common/arena.h"
#include "common/broker_link.h"
#include "common/publisher.h"
#include "common/publisher_queue.h"

/* One thread's. Any failure (-1) means that the connection is of no use any more:
 * publisher_link_close. */
struct publisher_link {
    struct broker_link link;
    amqp_channel_t
        control; /* for declares, whose failure closes the channel; confirms have theirs */
    struct publisher_queue outbox;
    struct window window;
    bool blocked;   /* the broker said connection.blocked */
    bool redeclare; /* something came back unroutable */
    bool stuffed;   /* the socket takes no more */
    struct arena arena;
};

enum { OUTBOX_ROOM = 2048 }; /* a batch, and all of a window once more */

int publisher_link_connect(struct publisher_link *link, struct err *err);
/* Answers everything sent and in the outbox with false. */
void publisher_link_close(struct publisher_link *link, bool politely);
void publisher_link_refuse(struct publisher_link *link);

/* Sends from the outbox what window and socket take. Never blocks, except to declare the topology
 * again. */
int publisher_link_send(struct publisher_link *link, int64_t now_ms, struct err *err);
/* Handles everything that has arrived. */
int publisher_link_receive(struct publisher_link *link, struct err *err);
/* Answers what is too old with false. */
void publisher_link_expire(struct publisher_link *link, int64_t now_ms);
int publisher_link_depth(struct publisher_link *link, enum kind kind, struct queue_depth *out,
                         struct err *err);

#endif
