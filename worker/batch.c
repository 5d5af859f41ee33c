/* Group commit of swaps: the first to come leads, the others wait for what it brings. */
#include "worker/batch.h"

#include <stdlib.h>

#include "common/change.h"
#include "common/clock.h"

enum {
    BATCH_MAX = 64,
    STORE_RETRY_MS = 500,
    REFUSALS_MAX = 3 /* then it is the outcome that the store does not take */
};

struct waiter {
    struct store_swap swap; /* saved: by the bulk it was part of */
    struct waiter *next;
    pthread_cond_t turn; /* done, or its turn to lead: only the one concerned wakes up */
    bool done;
};

struct batch {
    struct store *store;
    pthread_mutex_t lock;
    struct waiter *first, **end;
    bool led; /* somebody is at the store */
};

struct batch *batch_new(struct store *store)
{
    struct batch *batch = calloc(1, sizeof *batch);
    if (!batch)
        abort();
    batch->store = store;
    batch->end = &batch->first;
    pthread_mutex_init(&batch->lock, NULL);
    return batch;
}

void batch_free(struct batch *batch)
{
    if (!batch)
        return;
    pthread_mutex_destroy(&batch->lock);
    free(batch);
}

static void take(struct batch *batch, struct waiter *taken[BATCH_MAX], size_t *len)
{
    *len = 0;
    while (batch->first && *len < BATCH_MAX) {
        taken[(*len)++] = batch->first;
        batch->first = batch->first->next;
    }
    if (!batch->first)
        batch->end = &batch->first;
}

static void save(struct batch *batch, struct waiter **waiters, size_t len)
{
    struct store_swap swaps[BATCH_MAX];
    struct err err = {0};
    for (size_t i = 0; i < len; i++)
        swaps[i] = waiters[i]->swap;
    /* Who was not saved looks for himself, and sees the error if it lasts. */
    (void)store_swap(batch->store, swaps, len, &err);
    for (size_t i = 0; i < len; i++)
        waiters[i]->swap.saved = swaps[i].saved;
}

/* Saves what waits, then passes the lead on. */
static void lead(struct batch *batch)
{
    struct waiter *taken[BATCH_MAX];
    size_t len;
    batch->led = true;
    take(batch, taken, &len);
    pthread_mutex_unlock(&batch->lock);
    save(batch, taken, len);
    pthread_mutex_lock(&batch->lock);
    for (size_t i = 0; i < len; i++) {
        taken[i]->done = true;
        pthread_cond_signal(&taken[i]->turn);
    }
    batch->led = false;
    if (batch->first)
        pthread_cond_signal(&batch->first->turn);
}

/* Returns when `mine` was saved or refused, leading as long as nobody else does. */
static void commit(struct batch *batch, struct waiter *mine)
{
    pthread_mutex_lock(&batch->lock);
    *batch->end = mine;
    batch->end = &mine->next;
    while (!mine->done) {
        if (batch->led)
            pthread_cond_wait(&mine->turn, &batch->lock);
        else
            lead(batch);
    }
    pthread_mutex_unlock(&batch->lock);
}

bool batch_swap(struct batch *batch, const struct job *before, struct job *after)
{
    struct waiter mine = {.swap = {.before = before, .after = after},
                          .turn = PTHREAD_COND_INITIALIZER};
    commit(batch, &mine);
    pthread_cond_destroy(&mine.turn);
    if (mine.swap.saved)
        after->rev = before->rev + 1;
    return mine.swap.saved;
}

static bool settle(struct job *draft, void *arg)
{
    const struct run *run = arg;
    return job_settle(draft, run->task, run->number, &run->outcome, clock_now_ms());
}

/* A save whose answer was lost may have been made: nobody else ends a run with success. */
static bool has_succeeded(const struct job *job, const struct run *run)
{
    const struct task *task = &job->tasks.at[run->task];
    return task->state == TASK_SUCCEEDED && task->run == run->number;
}

/* Somebody changed the job since the claim: read, apply, save, again. */
static int settle_changed(struct batch *batch, struct run *run, struct job **after, struct err *err)
{
    arena_reset(&run->changed);
    int answer =
        change_job(batch->store, run->job->id, NULL, settle, run, &run->changed, after, err);
    return answer == 1 && has_succeeded(*after, run) ? 0 : answer;
}

/* What the store would never take (a document too large): the run ends with that as its error. */
static void refuse(struct run *run, const struct err *why)
{
    const char *detail = arena_strdup(&run->arena, why->detail);
    run->outcome.error = (struct task_error){ERR_INTERNAL, detail};
    run->outcome.result = (struct raw){0};
    run->outcome.message = NULL;
}

enum settled batch_settle(struct batch *batch, struct run *run, int64_t give_up_mono,
                          struct job **after, struct err *err)
{
    int refusals = 0;
    const struct job *known = run->saved ? run->saved : run->job;
    struct job *draft = change_draft(known, &run->arena);
    settle(draft, run);
    if (batch_swap(batch, known, draft)) {
        *after = draft;
        return SETTLED;
    }
    for (;;) {
        int answer = settle_changed(batch, run, after, err);
        if (answer >= 0)
            return answer == 0 ? SETTLED : SETTLE_LOST;
        if (err->code == ERR_JOB_NOT_FOUND)
            return SETTLE_LOST;
        if (clock_mono_ms() >= give_up_mono)
            return SETTLE_FAILED;
        if (err->code == ERR_INTERNAL && ++refusals == REFUSALS_MAX)
            refuse(run, err);
        clock_sleep_ms(STORE_RETRY_MS);
    }
}
