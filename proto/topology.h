/* What exists in the broker: one durable direct exchange, one queue per kind, one for what nobody could read. */
#ifndef PROTO_TOPOLOGY_H
#define PROTO_TOPOLOGY_H

#include "proto/kind.h"

#define TOPOLOGY_EXCHANGE "mediafleet"           /* direct, durable; routing key = queue name */
#define TOPOLOGY_DEAD_EXCHANGE "mediafleet.dead" /* fanout, durable */
#define TOPOLOGY_DEAD_QUEUE "mediafleet.dead"
/* Headers of what lies there: why, from which queue, how many bytes it had, and who took it. */
#define TOPOLOGY_DEAD_REASON "x-mediafleet-reason"
#define TOPOLOGY_DEAD_FROM "x-mediafleet-queue"
#define TOPOLOGY_DEAD_BYTES "x-mediafleet-bytes"
#define TOPOLOGY_DEAD_WORKER "x-mediafleet-worker"
/* Queue arguments never change after the first declare (406 otherwise): x-queue-type and the dead-letter exchange.
 * Quorum queues get an explicit x-delivery-limit, because RabbitMQ 4 drops after 20 deliveries by default; tickets
 * are hints, so a high limit is right. */
#define TOPOLOGY_QUEUE_TYPE "classic"

enum topology_item_type { TOPOLOGY_IS_EXCHANGE, TOPOLOGY_IS_QUEUE, TOPOLOGY_IS_BINDING };
struct topology_item {
    enum topology_item_type type;
    const char *name;     /* exchange or queue */
    const char *exchange; /* binding: from */
    const char *kind;     /* exchange: "direct" or "fanout" */
    const char *dead_letter_exchange; /* queue: argument, or NULL */
};
/* In the order in which they can be declared. */
extern const struct topology_item topology[];
extern const size_t topology_len;

#endif
