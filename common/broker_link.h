/* One connection to RabbitMQ, as broker and publisher need it: address, login, topology, frames.
 * Only they include this.
 *
 * librabbitmq is not for two threads: a link belongs to one thread for life. Error details never
 * hold the password. */
#ifndef COMMON_BROKER_LINK_H
#define COMMON_BROKER_LINK_H

#include <amqp.h>
#include <amqp_framing.h>
#include <stdbool.h>

#include "common/backoff.h"
#include "common/err.h"

/* Seconds. HEARTBEAT: RabbitMQ recommends 5 to 20; a peer is dead after two. STALL: how long the
 * kernel keeps bytes that the broker's host does not take; librabbitmq's own sends have no other
 * bound (its sockets do not block, so that SO_SNDTIMEO means nothing). */
enum {
    LINK_CONNECT_S = 5,
    LINK_RPC_S = 10,
    LINK_GOODBYE_S = 2,
    LINK_HEARTBEAT_S = 20,
    LINK_STALL_S = 20
};
enum { LINK_IDLE_MS = 5000, LINK_FRAME_MAX = 131072, LINK_LASTED_MS = 1000 }; /* what ended sooner was no success */

struct broker_link {
    char *url; /* our copy, cut into the pieces that the next three point to */
    struct amqp_connection_info address;
    const char *vhost;
    const char *ca_file; /* amqps: what the server's certificate is checked against */
    char *app;
    amqp_connection_state_t state; /* NULL: not connected */
    int fd;
    int64_t ready_ms;       /* clock_mono_ms when this connection became of use, 0: not yet */
    struct backoff backoff; /* 0.2 s doubling to 5 s; begins anew after a connection that lasted */
};

/* Reads amqp://user:password@host:port/vhost, or amqps:// with an optional ?cacertfile=PATH
 * (default: the system's). ERR_CONFIG if it is neither. app: copied, the connection's name in the
 * management pages. */
int broker_link_init(struct broker_link *link, const char *url, const char *app, struct err *err);
void broker_link_release(struct broker_link *link);

/* Connects and logs in; may take LINK_CONNECT_S and LINK_RPC_S. Every call makes the backoff
 * longer; the caller says when the connection is of use (broker_link_ready). */
int broker_link_connect(struct broker_link *link, struct err *err);
void broker_link_ready(struct broker_link *link);
/* politely: says goodbye, which waits for an answer; never after an error. */
void broker_link_close(struct broker_link *link, bool politely);

int broker_link_channel(struct broker_link *link, amqp_channel_t channel, struct err *err);
/* Declares the topology. ERR_CONFIG when something exists with other arguments; the channel is
 * closed then. */
int broker_link_declare(struct broker_link *link, amqp_channel_t channel, struct err *err);
/* Judges the call just made on `channel`; one that the broker closed is acknowledged closed. */
int broker_link_replied(struct broker_link *link, amqp_channel_t channel, const char *what,
                        struct err *err);
/* The next frame if one is there (1), 0 if none, -1 when the connection is gone. Never blocks;
 * serves heartbeats, so call it at least every few seconds. The frame lives until
 * broker_link_recycle. */
int broker_link_frame(struct broker_link *link, amqp_frame_t *frame, struct err *err);
void broker_link_recycle(struct broker_link *link, const amqp_frame_t *frame);
/* What is sent between true and false goes out together, and wakes the broker once. Not for long:
 * after 200 ms the kernel sends it anyway. */
void broker_link_gather(struct broker_link *link, bool gather);
/* Frames wait inside the library, where poll(2) does not see them. */
bool broker_link_pending(struct broker_link *link);
/* How long poll(2) may sleep between two calls of broker_link_frame, for the heartbeats' sake. */
int64_t broker_link_idle_ms(struct broker_link *link);
/* An entry of a table; the strings must live as long. */
amqp_table_entry_t broker_link_text(const char *key, const char *value);

/* ERR_BROKER_UNAVAILABLE from a status of librabbitmq. Returns -1. */
int broker_link_failed(int status, const char *what, struct err *err);
/* From channel.close or connection.close: 406 is ERR_CONFIG. Returns -1. */
int broker_link_refused(int code, amqp_bytes_t text, const char *what, struct err *err);

#endif
