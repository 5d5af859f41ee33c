/* The runs of this process, from their claim to their acknowledgement. Inside worker/ only. */
#ifndef WORKER_HELD_H
#define WORKER_HELD_H

#include "worker/held_run.h"

/* A thread that runs tasks, and what it keeps between them. */
struct slot {
    struct runtime *runtime;
    pthread_t thread;
    struct bucket *bucket; /* opened by the first run that asks */
    struct bucket_watch watch; /* of the run that asked last */
};

void held_init(struct held *held);
void held_release(struct held *held);
/* New runs, linked by `next`: held, and queued for a slot. */
void held_add(struct held *held, struct run *runs);
/* What a slot does next. Blocks. false: nothing more will come. *run NULL: it is this thread's turn to save
 * (batch_save): as many changes wait as are saved at once, or there is nothing else to do, or nobody else to do it. */
bool held_next(struct held *held, struct run **run);
/* A change to be saved, the batch's until that is done. */
void held_offer(struct held *held, struct change *change);
/* For a change without a run: waits until it is done (false), or it is this thread's turn to save (true: then again). */
bool held_await(struct held *held, struct change *change);
/* The turn to save: takes what waits, at most CHANGES_MAX. */
size_t held_take_changes(struct held *held, struct change **changes);
/* Its end: gives the runs, linked by `next`, back to held_next, and wakes who waits for one of the others. */
void held_return(struct held *held, struct run *runs, struct change **others, size_t len);
/* The runs, linked by `with`, have ended: they are held no more, the consumer will acknowledge them. */
void held_done(struct runtime *runtime, struct run *runs);
/* All that ended since the last call, for the consumer. */
struct run *held_take_done(struct held *held);
size_t held_len(struct held *held);
bool held_has(struct held *held, const char *job, size_t task, int64_t number);
void held_close(struct held *held);
/* Tells every run to stop for that reason. */
void held_stop(struct held *held, enum error reason);

#endif
