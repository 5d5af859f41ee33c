/* The consuming side of RabbitMQ, on a connection of its own that belongs to one thread for life.
 */
#ifndef COMMON_BROKER_H
#define COMMON_BROKER_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct broker;

struct delivery {
    uint64_t tag;   /* with `epoch` names the delivery; tags of an older epoch are not acknowledged
                       any more */
    uint32_t epoch; /* counts the channels opened */
    _Bool redelivered;
    size_t len;
    char body[512]; /* longer bodies are cut: len tells the true length */
};

/* Connects lazily: broker_next does it, with backoff (0.2 s doubling to 5 s, jitter), declares the
 * topology and consumes `queue` with `prefetch`. app names the connection in the management pages.
 */
int broker_open(struct broker **out, const char *amqp_url, const char *queue, uint16_t prefetch,
                const char *app, struct err *err);
void broker_free(struct broker *broker);

/* Call it at least every 20 s: heartbeats are served here. Connecting may take 15 s more than
 * wait_ms. Up to `len` deliveries: waits at most wait_ms for the first, then at most gather_ms for
 * more. Returns their number, 0 when there is none, -1 with ERR_BROKER_UNAVAILABLE while there is
 * no connection (it sleeps the backoff within wait_ms; call again) or ERR_CONFIG when the broker
 * refuses our topology's arguments (fatal: exit 78). */
int broker_next(struct broker *broker, struct delivery *out, size_t len, int wait_ms, int gather_ms,
                struct err *err);
/* Wakes a waiting broker_next from another thread. The only call that other threads may make. */
void broker_wake(struct broker *broker);

/* Acks and rejects between true and false go out together. */
void broker_gather(struct broker *broker, _Bool gather);
int broker_ack(struct broker *broker, const struct delivery *delivery, struct err *err);
/* requeue false: to the dead-letter exchange. */
int broker_reject(struct broker *broker, const struct delivery *delivery, _Bool requeue,
                  struct err *err);
/* Stops deliveries; what was prefetched and not acknowledged goes back when the connection closes.
 */
int broker_cancel(struct broker *broker, struct err *err);
_Bool broker_connected(const struct broker *broker);

#endif
