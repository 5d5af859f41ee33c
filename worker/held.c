/* Lists of runs: held, queued for a slot, done. */
#include "worker/held.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

static void *allocate(size_t bytes)
{
    void *memory = calloc(1, bytes);
    if (!memory)
        abort();
    return memory;
}

struct lot *lot_new(void)
{
    struct lot *lot = allocate(sizeof *lot);
    atomic_init(&lot->uses, 1);
    return lot;
}

void lot_drop(struct lot *lot)
{
    if (atomic_fetch_sub(&lot->uses, 1) != 1)
        return;
    arena_release(&lot->arena);
    free(lot);
}

struct run *run_new(struct runtime *runtime, struct lot *lot, struct job *job, size_t task,
                    const struct delivery *delivery)
{
    struct run *run = allocate(sizeof *run);
    const struct task *is = &job->tasks.at[task];
    int64_t mono = clock_mono_ms();
    atomic_fetch_add(&lot->uses, 1);
    run->runtime = runtime;
    run->lot = lot;
    run->job = job;
    run->task = task;
    run->number = is->run;
    run->rev = job->rev;
    run->delivery = *delivery;
    run->claimed_mono = mono;
    run->deadline_mono = mono + is->timeout_s * 1000;
    atomic_init(&run->lease_mono, mono + is->lease_until - clock_now_ms());
    atomic_init(&run->percent, is->percent);
    pthread_mutex_init(&run->lock, NULL);
    return run;
}

void run_free(struct run *run)
{
    pthread_mutex_destroy(&run->lock);
    arena_release(&run->arena);
    arena_release(&run->changed);
    lot_drop(run->lot);
    free(run);
}

void run_stop(struct run *run, enum error reason)
{
    unsigned none = ERR_NONE;
    atomic_compare_exchange_strong(&run->stop, &none, (unsigned)reason);
}

const char *run_name(const struct run *run)
{
    return run->job->tasks.at[run->task].name;
}

void held_init(struct held *held)
{
    pthread_mutex_init(&held->lock, NULL);
    pthread_cond_init(&held->changed, NULL);
    held->queue_end = &held->queue;
    held->done_end = &held->done;
}

void held_release(struct held *held)
{
    pthread_cond_destroy(&held->changed);
    pthread_mutex_destroy(&held->lock);
}

void held_add(struct runtime *runtime, struct run *run)
{
    struct held *held = &runtime->held;
    pthread_mutex_lock(&held->lock);
    run->held_next = held->first;
    run->held_at = &held->first;
    if (held->first)
        held->first->held_at = &run->held_next;
    held->first = run;
    held->len++;
    *held->queue_end = run;
    held->queue_end = &run->next;
    pthread_cond_signal(&held->changed);
    pthread_mutex_unlock(&held->lock);
}

struct run *held_next(struct held *held)
{
    pthread_mutex_lock(&held->lock);
    while (!held->queue && !held->closed)
        pthread_cond_wait(&held->changed, &held->lock);
    struct run *run = held->queue;
    if (run) {
        held->queue = run->next;
        if (!held->queue)
            held->queue_end = &held->queue;
        run->next = NULL;
    }
    pthread_mutex_unlock(&held->lock);
    return run;
}

void held_done(struct runtime *runtime, struct run *run)
{
    struct held *held = &runtime->held;
    pthread_mutex_lock(&held->lock);
    *run->held_at = run->held_next;
    if (run->held_next)
        run->held_next->held_at = run->held_at;
    held->len--;
    bool first = held->done == NULL;
    *held->done_end = run;
    held->done_end = &run->next;
    pthread_mutex_unlock(&held->lock);
    if (first)
        broker_wake(runtime->broker);
}

struct run *held_take_done(struct held *held)
{
    pthread_mutex_lock(&held->lock);
    struct run *run = held->done;
    held->done = NULL;
    held->done_end = &held->done;
    pthread_mutex_unlock(&held->lock);
    return run;
}

bool held_has(struct held *held, const char *job, size_t task, int64_t number)
{
    pthread_mutex_lock(&held->lock);
    const struct run *run = held->first;
    while (run && (run->task != task || run->number != number || strcmp(run->job->id, job) != 0))
        run = run->held_next;
    pthread_mutex_unlock(&held->lock);
    return run != NULL;
}

size_t held_len(struct held *held)
{
    pthread_mutex_lock(&held->lock);
    size_t len = held->len;
    pthread_mutex_unlock(&held->lock);
    return len;
}

void held_close(struct held *held)
{
    pthread_mutex_lock(&held->lock);
    held->closed = true;
    pthread_cond_broadcast(&held->changed);
    pthread_mutex_unlock(&held->lock);
}

void held_stop(struct held *held, enum error reason)
{
    pthread_mutex_lock(&held->lock);
    for (struct run *run = held->first; run; run = run->held_next)
        run_stop(run, reason);
    pthread_mutex_unlock(&held->lock);
}
