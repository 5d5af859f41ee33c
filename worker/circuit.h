/* A bucket that denies everything: the process begins nothing until it takes objects again. */
#ifndef WORKER_CIRCUIT_H
#define WORKER_CIRCUIT_H

#include <pthread.h>
#include <stdatomic.h>

#include "common/backoff.h"
#include "common/bucket.h"

struct circuit {
    pthread_mutex_t lock; /* one probe at a time */
    atomic_uint why;      /* enum error; ERR_NONE: closed */
    struct backoff probes;
};

void circuit_init(struct circuit *circuit);
/* A run has failed with `code`. True: the bucket (NULL: none was opened) denies everybody, as a
 * probe showed, so that the run is to be handed back; false: this run's own trouble. Any thread. */
bool circuit_opens(struct circuit *circuit, struct bucket *bucket, enum error code);
/* ERR_NONE: claim; else why not. Probes when it is time: every second at first, every half minute
 * at last. The consumer's thread. */
enum error circuit_state(struct circuit *circuit, const struct bucket_settings *settings);

#endif
