/* What the threads of one worker process share. Inside worker/ only. */
#ifndef WORKER_RUNTIME_H
#define WORKER_RUNTIME_H

#include <pthread.h>
#include <stdatomic.h>

#include "common/broker.h"
#include "common/publisher.h"
#include "common/store.h"
#include "proto/worker_beat.h"
#include "worker/circuit.h"
#include "worker/worker.h"

/* What a worker program was told: filled by worker_main, read-only afterwards. */
struct worker_config {
    struct store_settings store;
    struct fleet_settings fleet;
    struct worker_settings worker;
    struct bucket_settings bucket;
    const void *kind; /* the struct of worker.settings */
};

struct counters {
    atomic_llong claimed, succeeded, failed, retried, released, crashes_seen, dropped, garbage;
    atomic_llong storage_retries;
};

/* The runs of this process, and the deliveries that wait for their acknowledgement. */
struct held {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* there is something to do, or there will be nothing more */
    size_t idle;            /* slots that wait for that */
    bool waking;            /* one of them was woken and is not here yet */
    struct run *first;      /* every run between its claim and its release */
    size_t len;
    struct run *queue, **queue_end;  /* claimed, no slot yet */
    struct change *ends, **ends_end; /* performed, and finish duties done: not saved yet */
    size_t ends_len;
    bool saving;                  /* somebody is at the store with what came before */
    struct run *back, **back_end; /* performed, and that is saved or could not be */
    struct run *done, **done_end; /* ended: the consumer acknowledges and frees */
    bool closed;                  /* slots end when all of these are empty */
};

struct runtime {
    const struct worker *worker;
    const struct kind_row *kind;
    const struct worker_config *config;
    char host[65], id[WORKER_ID_MAX + 1];
    int lock_fd; /* the proof of life, see worker/workspace.h */
    int64_t started_at, slots, lease_ms;
    struct store *store;
    struct publisher *publisher;
    struct broker *broker;
    struct batch *batch;
    struct held held;
    _Atomic(struct burial *) buried; /* garbage whose burial is answered: worker/dead.h */
    struct counters counters;
    atomic_bool draining;
    atomic_uint paused; /* enum error: why nothing is begun */
    struct circuit circuit;
    atomic_llong pending; /* tickets taken and not decided yet */
    struct slot *slot;    /* [slots] */
    pthread_t pulse;
    atomic_bool pulse_ends;
};

/* The child process: opens everything, consumes until SIGTERM, drains. Returns the exit code. */
int runtime_run(const struct worker *worker, const struct worker_config *config);

/* worker/slots: --slots threads that run what is queued. */
int slots_open(struct runtime *runtime, struct err *err);
void slots_close(struct runtime *runtime); /* after the last run: joins the threads */

/* worker/pulse: leases, progress, stop flags, time limits, beats. */
int pulse_open(struct runtime *runtime, struct err *err);
void pulse_close(struct runtime *runtime);

#endif
