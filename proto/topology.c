/* The broker's exchanges, queues and bindings, in the order in which they can be declared. */
#include "proto/topology.h"

/* A queue whose rejected messages go to the dead-letter exchange, bound by its own name. */
#define KIND_QUEUE(queue)                                                                          \
    {.type = TOPOLOGY_IS_QUEUE, .name = (queue), .dead_letter_exchange = TOPOLOGY_DEAD_EXCHANGE},  \
    {                                                                                              \
        .type = TOPOLOGY_IS_BINDING, .name = (queue), .exchange = TOPOLOGY_EXCHANGE                \
    }

const struct topology_item topology[] = {
    {.type = TOPOLOGY_IS_EXCHANGE, .name = TOPOLOGY_EXCHANGE, .kind = "direct"},
    {.type = TOPOLOGY_IS_EXCHANGE, .name = TOPOLOGY_DEAD_EXCHANGE, .kind = "fanout"},
    {.type = TOPOLOGY_IS_QUEUE, .name = TOPOLOGY_DEAD_QUEUE},
    {.type = TOPOLOGY_IS_BINDING, .name = TOPOLOGY_DEAD_QUEUE, .exchange = TOPOLOGY_DEAD_EXCHANGE},
    KIND_QUEUE("mediafleet.hello"),
    KIND_QUEUE("mediafleet.download"),
    KIND_QUEUE("mediafleet.transcode"),
    KIND_QUEUE("mediafleet.thumbnail"),
    KIND_QUEUE("mediafleet.upload"),
    KIND_QUEUE("mediafleet.cleanup"),
    KIND_QUEUE("mediafleet.storage"),
};
const size_t topology_len = sizeof topology / sizeof topology[0];
