/* A store of one page: jobs by id, compared by rev. For programs of one file. */
#ifndef TESTS_BATCH_FIXTURE_H
#define TESTS_BATCH_FIXTURE_H

#include "check.h"

#include "common/change.h"
#include "common/clock.h"
#include "proto/recipe.h"
#include "worker/batch.h"

enum { RUNS = 24 };

/* The fake door: takes the place of common/store_swap and store_jobs. */
static struct {
    pthread_mutex_t lock;
    struct job *job[RUNS];
    int calls, failures_left;
    int lost_left;        /* saves that are made, and whose answer is lost */
    bool refuses;         /* the first swap of each bulk is not taken */
    bool refuses_results; /* nor is what has a result */
    size_t swaps, largest;
} store = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct job *stored(const char *id)
{
    for (size_t i = 0; i < RUNS; i++)
        if (store.job[i] && strcmp(store.job[i]->id, id) == 0)
            return store.job[i];
    return NULL;
}

static void save(struct store_swap *swap)
{
    struct job *job = stored(swap->before->id);
    swap->saved = job && job->rev == swap->before->rev;
    if (!swap->saved)
        return;
    memcpy(job->tasks.at, swap->after->tasks.at, job->tasks.len * sizeof *job->tasks.at);
    job->state = swap->after->state;
    job->rev++;
}

int store_swap(struct store *unused, struct store_swap *swaps, size_t len, struct err *err)
{
    (void)unused;
    clock_sleep_ms(5); /* while one is away, others come */
    pthread_mutex_lock(&store.lock);
    store.calls++;
    bool fits = true;
    for (size_t i = 0; i < len && store.refuses_results; i++)
        fits = fits && !swaps[i].after->tasks.at[0].result.len;
    bool fails = store.failures_left > 0 && store.failures_left--;
    bool lost = store.lost_left > 0 && store.lost_left--;
    for (size_t i = store.refuses; i < len && !fails && fits; i++)
        save(&swaps[i]);
    for (size_t i = 0; i < len && lost; i++)
        swaps[i].saved = false;
    store.swaps += len;
    store.largest = len > store.largest ? len : store.largest;
    pthread_mutex_unlock(&store.lock);
    if (store.refuses || !fits)
        return err_set(err, ERR_INTERNAL, "too large");
    return fails || lost ? err_set(err, ERR_STORE_UNAVAILABLE, "away") : 0;
}

int store_job(struct store *unused, const char *id, struct arena *arena, struct job *out,
              struct err *err)
{
    (void)unused;
    pthread_mutex_lock(&store.lock);
    struct job *job = stored(id);
    if (job) {
        *out = *job;
        out->tasks.at = arena_memdup(arena, job->tasks.at, job->tasks.len * sizeof *job->tasks.at);
    }
    pthread_mutex_unlock(&store.lock);
    return job ? 0 : err_set(err, ERR_JOB_NOT_FOUND, "no job");
}

#endif
