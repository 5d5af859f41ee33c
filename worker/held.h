/* The runs of this process, from their claim to their acknowledgement. Inside worker/ only. */
#ifndef WORKER_HELD_H
#define WORKER_HELD_H

#include "proto/transition.h"
#include "worker/runtime.h"

/* The memory of the jobs that were claimed together, gone with the last of their runs. */
struct lot {
    struct arena arena;
    atomic_int uses;
};
struct lot *lot_new(void);
void lot_drop(struct lot *lot);

/* A thread that runs tasks, and what it keeps between them. */
struct slot {
    struct runtime *runtime;
    pthread_t thread;
    struct bucket *bucket; /* opened by the first run that asks */
    struct bucket_watch watch; /* of the run that asked last */
};

enum { RUN_MESSAGE_MAX = 200 };

struct run {
    struct runtime *runtime;
    struct slot *slot; /* where it runs */
    struct lot *lot;
    struct job *job; /* as it was at the claim, in the lot */
    struct job *saved; /* as the last checkpoint left it, in the handler's arena; NULL: there was none */
    size_t task;
    int64_t number; /* the task's run, the fence */
    bool finish_only; /* nothing to run: the job's finish duties were left undone */
    struct delivery delivery;
    bool requeue; /* not settled: hand the ticket back */
    struct arena arena; /* the handler's */
    struct arena changed; /* the job as it was read anew to settle it */
    struct run *next, *held_next, **held_at;
    atomic_uint stop; /* enum error */
    atomic_bool working; /* its handler runs now: neither waits for a slot nor is being settled */
    atomic_llong percent, bytes_in, bytes_out;
    pthread_mutex_t lock; /* message */
    char message[RUN_MESSAGE_MAX + 1];
    int64_t claimed_mono, deadline_mono, stopped_mono;
    atomic_llong lease_mono; /* until then the lease is surely ours */
    int64_t rev;             /* as the last pulse knew it */
    bool lost;               /* a pulse saw that it is not ours: never pulsed again */
    char *dir;
    struct outcome outcome;
};

void held_init(struct held *held);
void held_release(struct held *held);
/* A new run, held and queued for a slot. */
void held_add(struct runtime *runtime, struct run *run);
/* The next queued run, NULL when there will be none. Blocks. */
struct run *held_next(struct held *held);
/* The run has ended: it is held no more, the consumer will acknowledge it. */
void held_done(struct runtime *runtime, struct run *run);
/* All that ended since the last call, for the consumer. */
struct run *held_take_done(struct held *held);
size_t held_len(struct held *held);
bool held_has(struct held *held, const char *job, size_t task, int64_t number);
void held_close(struct held *held);
/* Tells every run to stop for that reason. */
void held_stop(struct held *held, enum error reason);

struct run *run_new(struct runtime *runtime, struct lot *lot, struct job *job, size_t task,
                    const struct delivery *delivery);
void run_free(struct run *run);
/* The first reason stays. */
void run_stop(struct run *run, enum error reason);
const char *run_name(const struct run *run); /* the task's name */

#endif
