/* Swaps gathered: jobs that change together are saved by one bulk. Inside worker/ only. */
#ifndef WORKER_BATCH_H
#define WORKER_BATCH_H

#include "worker/held.h"

struct batch;

struct batch *batch_new(struct store *store, struct held *held);
void batch_free(struct batch *batch);

/* Saves `after` over `before` with what others save meanwhile. Blocks; true: saved, and after->rev is the new one.
 * false: somebody changed the job, or the store did not answer: read it and try again. */
bool batch_swap(struct batch *batch, const struct job *before, struct job *after);

/* Offers the end of run->number of run->task with run->outcome to be saved with those of others. Does not wait. The run is
 * the batch's until held_next gives it back, RUN_SAVED (run->end.after is the job as it now is) or RUN_UNSAVED. */
void batch_offer(struct batch *batch, struct run *run);
/* The turn to save, which held_next gives: one bulk. Blocks for a round trip. */
void batch_save(struct batch *batch);

enum settled {
    SETTLED,     /* saved: *after is the job as it now is */
    SETTLE_LOST, /* the run was not ours to end any more: nothing changed */
    SETTLE_FAILED /* the store did not answer for as long as we may wait */
};

/* Ends an RUN_UNSAVED run. Blocks until it is known how that went. Retries while the store is away, until give_up_mono.
 * *after lives with the run and shares memory with its job. */
enum settled batch_settle(struct batch *batch, struct run *run, int64_t give_up_mono, struct job **after,
                          struct err *err);

#endif
