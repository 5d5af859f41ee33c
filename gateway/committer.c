/* The committer's queue and the thread that empties it, batch by batch. */
#include "gateway/committer.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/clock.h"
#include "gateway/commit_batch.h"
#include "gateway/commit_wait.h"

struct committer {
    struct store *store;
    const struct fleet_settings *settings;
    struct commit_wait *wait;
    size_t limit;
    pthread_t thread;
    pthread_mutex_t mutex; /* of the following */
    pthread_cond_t changed;
    struct commit *first, *last;
    size_t waiting;
    struct commit_sizes sizes;
    bool closing;

    struct commit_item items[COMMIT_BATCH]; /* the thread's own */
    struct arena arena;
};

/* What comes while a batch is written is the next one: waiting for more would only cost time.
 * false: there is none, and none will come. */
static bool await_batch(struct committer *committer)
{
    while (!committer->first && !committer->closing)
        pthread_cond_wait(&committer->changed, &committer->mutex);
    return committer->first != NULL;
}

static size_t take_batch(struct committer *committer)
{
    size_t count = 0;
    while (committer->first && count < COMMIT_BATCH) {
        struct commit *commit = committer->first;
        committer->first = commit->next;
        committer->items[count++] = (struct commit_item){.commit = commit};
    }
    if (!committer->first)
        committer->last = NULL;
    return count;
}

/* Under the mutex. */
static void count_batch(struct commit_sizes *sizes, size_t count)
{
    size_t i = 0;
    while ((size_t)1 << i < count)
        i++;
    sizes->batches[i]++;
    sizes->posts += (int64_t)count;
}

static struct commit *take_all(struct committer *committer)
{
    pthread_mutex_lock(&committer->mutex);
    struct commit *first = committer->first;
    for (const struct commit *commit = first; commit; commit = commit->next)
        committer->waiting--;
    committer->first = committer->last = NULL;
    pthread_mutex_unlock(&committer->mutex);
    return first;
}

/* While the store is away, those who wait have waited long enough: they would each get the same
 * answer, a timeout later per batch. */
static void refuse_if_away(struct committer *committer, size_t count)
{
    struct commit_result result = {0};
    for (size_t i = 0; i < count && !result.err.code; i++)
        if (committer->items[i].result.err.code == ERR_STORE_UNAVAILABLE)
            result.err = committer->items[i].result.err;
    if (!result.err.code)
        return;
    for (struct commit *commit = take_all(committer), *next; commit; commit = next) {
        next = commit->next;
        result.job_id = commit->job->id;
        result.scene = commit->job->scene;
        commit->done(commit->arg, &result);
    }
}

/* What nobody waits for any more is left out: whoever was told that it failed must not find it
 * done. */
static size_t refuse_late(struct commit_item *items, size_t count)
{
    int64_t now = clock_mono_ms();
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct commit *commit = items[i].commit;
        if (!commit->late_ms || now < commit->late_ms) {
            items[kept++] = items[i];
            continue;
        }
        struct commit_result result = {.job_id = commit->job->id, .scene = commit->job->scene};
        err_set(&result.err, ERR_STORE_UNAVAILABLE, "the store did not answer in time");
        commit->done(commit->arg, &result);
    }
    return kept;
}

static void write_batch(struct committer *committer, size_t count)
{
    int64_t now = clock_now_ms();
    commit_batch_write(committer->store, committer->settings, committer->items, count, now,
                       &committer->arena);
    commit_wait_add(committer->wait, committer->items, count, now, &committer->arena);
    refuse_if_away(committer, count);
    arena_reset(&committer->arena);
}

_Static_assert(1 << (COMMIT_SIZES - 1) == COMMIT_BATCH, "the last size is a full batch");

static void *run(void *arg)
{
    struct committer *committer = arg;
    pthread_mutex_lock(&committer->mutex);
    while (await_batch(committer)) {
        size_t count = take_batch(committer);
        pthread_mutex_unlock(&committer->mutex);
        size_t kept = refuse_late(committer->items, count);
        if (kept > 0)
            write_batch(committer, kept);
        pthread_mutex_lock(&committer->mutex);
        committer->waiting -= count;
        if (kept > 0)
            count_batch(&committer->sizes, kept);
    }
    pthread_mutex_unlock(&committer->mutex);
    return NULL;
}

static void release(struct committer *committer)
{
    if (committer->wait)
        commit_wait_free(committer->wait);
    arena_release(&committer->arena);
    pthread_cond_destroy(&committer->changed);
    pthread_mutex_destroy(&committer->mutex);
    free(committer);
}

int committer_open(struct committer **out, struct store *store, struct publisher *publisher,
                   const struct fleet_settings *settings, size_t limit, struct err *err)
{
    struct committer *committer = calloc(1, sizeof *committer);
    if (!committer)
        abort();
    committer->store = store;
    committer->settings = settings;
    committer->limit = limit;
    pthread_cond_init(&committer->changed, NULL);
    pthread_mutex_init(&committer->mutex, NULL);
    if (commit_wait_open(&committer->wait, publisher, err)) {
        release(committer);
        return -1;
    }
    int failed = pthread_create(&committer->thread, NULL, run, committer);
    if (failed) {
        release(committer);
        return err_errno(err, failed, "start the committer");
    }
    *out = committer;
    return 0;
}

void committer_free(struct committer *committer)
{
    if (!committer)
        return;
    pthread_mutex_lock(&committer->mutex);
    committer->closing = true;
    pthread_cond_signal(&committer->changed);
    pthread_mutex_unlock(&committer->mutex);
    pthread_join(committer->thread, NULL);
    release(committer);
}

struct commit_sizes committer_sizes(struct committer *committer)
{
    pthread_mutex_lock(&committer->mutex);
    struct commit_sizes sizes = committer->sizes;
    pthread_mutex_unlock(&committer->mutex);
    return sizes;
}

int committer_submit(struct committer *committer, struct commit *commit, struct err *err)
{
    commit->next = NULL;
    pthread_mutex_lock(&committer->mutex);
    bool fits = committer->waiting < committer->limit;
    if (fits) {
        *(committer->last ? &committer->last->next : &committer->first) = commit;
        committer->last = commit;
        committer->waiting++;
        if (committer->first == commit)
            pthread_cond_signal(&committer->changed);
    }
    pthread_mutex_unlock(&committer->mutex);
    return fits ? 0 : err_set(err, ERR_OVERLOADED, "too many requests wait for the store");
}
