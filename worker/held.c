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
    held->back_end = &held->back;
    held->ends_end = &held->ends;
    held->queue_end = &held->queue;
    held->done_end = &held->done;
}

void held_release(struct held *held)
{
    pthread_cond_destroy(&held->changed);
    pthread_mutex_destroy(&held->lock);
}

static bool has_work(const struct held *held)
{
    return held->back || held->queue || (held->ends && !held->saving);
}

/* One slot at a time, which wakes the next one if there is more than it takes: short runs are over
 * before many slots have woken up, and no long one keeps others waiting. */
static void wake(struct held *held)
{
    if (held->waking || held->idle == 0 || !has_work(held))
        return;
    held->waking = true;
    pthread_cond_signal(&held->changed);
}

static void hold(struct held *held, struct run *run)
{
    run->held_next = held->first;
    run->held_at = &held->first;
    if (held->first)
        held->first->held_at = &run->held_next;
    held->first = run;
    held->len++;
}

/* Returns the list's new end. */
static struct run **append(struct run **end, struct run *runs)
{
    *end = runs;
    while (*end)
        end = &(*end)->next;
    return end;
}

void held_add(struct held *held, struct run *runs)
{
    pthread_mutex_lock(&held->lock);
    for (struct run *run = runs; run; run = run->next)
        hold(held, run);
    held->queue_end = append(held->queue_end, runs);
    wake(held);
    pthread_mutex_unlock(&held->lock);
}

static struct run *take(struct run **list, struct run ***end)
{
    struct run *run = *list;
    if (!run)
        return NULL;
    *list = run->next;
    if (!*list)
        *end = list;
    run->next = NULL;
    return run;
}

static void idle(struct held *held)
{
    held->idle++;
    pthread_cond_wait(&held->changed, &held->lock);
    held->idle--;
    held->waking = false;
}

/* Saving little at a time costs the store more than short runs take: those that are queued come
 * first, as long as somebody else is there to save if they are not short. */
static bool is_turn_to_save(const struct held *held)
{
    return held->ends && !held->saving &&
           (held->ends_len >= CHANGES_MAX || held->idle == 0 || (!held->back && !held->queue));
}

bool held_next(struct held *held, struct run **run)
{
    pthread_mutex_lock(&held->lock);
    while (!has_work(held) && !held->closed)
        idle(held);
    bool more = has_work(held);
    *run = NULL;
    if (is_turn_to_save(held))
        held->saving = true;
    else if (!(*run = take(&held->back, &held->back_end)))
        *run = take(&held->queue, &held->queue_end);
    wake(held);
    pthread_mutex_unlock(&held->lock);
    return more;
}

void held_offer(struct held *held, struct change *change)
{
    pthread_mutex_lock(&held->lock);
    *held->ends_end = change;
    held->ends_end = &change->next;
    held->ends_len++;
    pthread_mutex_unlock(&held->lock);
}

bool held_await(struct held *held, struct change *change)
{
    pthread_mutex_lock(&held->lock);
    while (!change->done && held->saving)
        pthread_cond_wait(change->turn, &held->lock);
    bool turn = !change->done;
    held->saving |= turn;
    pthread_mutex_unlock(&held->lock);
    return turn;
}

size_t held_take_changes(struct held *held, struct change **changes)
{
    size_t len = 0;
    pthread_mutex_lock(&held->lock);
    while (held->ends && len < CHANGES_MAX) {
        changes[len++] = held->ends;
        held->ends = held->ends->next;
    }
    held->ends_len -= len;
    if (!held->ends)
        held->ends_end = &held->ends;
    pthread_mutex_unlock(&held->lock);
    return len;
}

void held_return(struct held *held, struct run *runs, struct change **others, size_t len)
{
    pthread_mutex_lock(&held->lock);
    held->saving = false;
    held->back_end = append(held->back_end, runs);
    for (size_t i = 0; i < len; i++) {
        others[i]->done = true;
        pthread_cond_signal(others[i]->turn);
    }
    if (held->ends && !held->ends->run)
        pthread_cond_signal(held->ends->turn);
    wake(held);
    pthread_mutex_unlock(&held->lock);
}

static void let_go(struct held *held, struct run *run)
{
    *run->held_at = run->held_next;
    if (run->held_next)
        run->held_next->held_at = run->held_at;
    held->len--;
    run->next = NULL;
    *held->done_end = run;
    held->done_end = &run->next;
}

void held_done(struct runtime *runtime, struct run *runs)
{
    struct held *held = &runtime->held;
    pthread_mutex_lock(&held->lock);
    bool first = held->done == NULL;
    for (struct run *run = runs; run; run = run->with)
        let_go(held, run);
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
