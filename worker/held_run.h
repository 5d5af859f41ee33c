/* A run while its process holds it. Inside worker/ only. */
#ifndef WORKER_HELD_RUN_H
#define WORKER_HELD_RUN_H

#include "proto/transition.h"
#include "worker/runtime.h"

/* The memory of the jobs that were claimed together, gone with the last of their runs. */
struct lot {
    struct arena arena;
    atomic_int uses;
};
struct lot *lot_new(void);
void lot_drop(struct lot *lot);

enum { RUN_MESSAGE_MAX = 200 };

/* Why a slot gets the run. */
enum run_stage {
    RUN_CLAIMED, /* to be performed */
    RUN_SAVED,   /* its end is saved, with those of `with` */
    RUN_UNSAVED  /* its end was not saved at the first try */
};

/* A change of a job that is saved with those of others: worker/batch. */
struct change {
    const struct job *before;
    struct job *after; /* its rev is the new one when it is saved */
    bool saved;
    struct change *next;
    struct run *run;      /* whose end it is; NULL: a thread waits for it */
    pthread_cond_t *turn; /* of that thread: done, or its turn to save */
    bool done;
};
enum { CHANGES_MAX = 64 }; /* saved at once */

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
    enum run_stage stage;
    struct change end;
    int64_t ended_mono; /* its handler has returned */
    struct run *with;   /* others that were saved with it, and have nothing more to do than it has */
    bool requeue;       /* not settled: hand the ticket back */
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

struct run *run_new(struct runtime *runtime, struct lot *lot, struct job *job, size_t task,
                    const struct delivery *delivery);
void run_free(struct run *run);
/* The first reason stays. */
void run_stop(struct run *run, enum error reason);
const char *run_name(const struct run *run); /* the task's name */

#endif
