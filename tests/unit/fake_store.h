/* The store's door in memory: whole documents compared by rev, and answers that get lost. For
 * programs of one file. */
#ifndef TESTS_FAKE_STORE_H
#define TESTS_FAKE_STORE_H

#include "check.h"

#include <pthread.h>

#include "common/clock.h"
#include "common/doc_bson.h"
#include "common/store.h"
#include "proto/recipe.h"
#include "proto/transition.h"

enum { FAKE_JOBS = 4096 };

static struct {
    pthread_mutex_t lock;
    struct arena memory; /* every version of every job, until the program ends */
    struct job *jobs[FAKE_JOBS];
    size_t len;
    int away;    /* so many calls find no store */
    int unswapped; /* so many swaps find none */
    int lost;    /* so many writes of jobs are made, and their answer is lost */
    int lost_pm; /* of a thousand writes, at random */
    int refused; /* so many bulks of swaps hold a document that is not taken: the first */
    int unreadable_beats;
    int64_t clock_jump_ms; /* told by the next ping */
    int swaps, updates, inserts, pings, dues;
    int terminal;  /* jobs that became so */
    int succeeded; /* times that a task became so */
} fake_store = {.lock = PTHREAD_MUTEX_INITIALIZER};

static inline int fake_away(struct err *err)
{
    return err_set(err, ERR_STORE_UNAVAILABLE, "away");
}

static inline bool fake_chance(int pm)
{
    static uint64_t random = 88172645463325252u;
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    return (int)((random >> 11) % 1000) < pm;
}

/* Call with the lock: whether the store is away now. */
static inline bool fake_is_away(void)
{
    return fake_store.away > 0 && fake_store.away--;
}

static inline bool fake_is_lost(void)
{
    return (fake_store.lost > 0 && fake_store.lost--) || fake_chance(fake_store.lost_pm);
}

static inline struct job *fake_copy(const struct job *job, struct arena *arena)
{
    struct err err = {0};
    struct job *copy = arena_alloc(arena, sizeof *copy);
    bson_t bson = BSON_INITIALIZER;
    doc_bson_encode(&job_doc, job, &bson);
    CHECK_INT(doc_bson_decode(&job_doc, &bson, arena, copy, &err), 0);
    bson_destroy(&bson);
    return copy;
}

static inline struct job **fake_find(const char *id)
{
    for (size_t i = 0; i < fake_store.len; i++)
        if (strcmp(fake_store.jobs[i]->id, id) == 0)
            return &fake_store.jobs[i];
    return NULL;
}

/* The job as the store has it; the caller knows that nobody changes it meanwhile. */
static inline struct job *fake_job(const char *id)
{
    struct job **found = fake_find(id);
    return found ? *found : NULL;
}

static inline void fake_put(const struct job *job)
{
    CHECK(fake_store.len < FAKE_JOBS);
    fake_store.jobs[fake_store.len++] = fake_copy(job, &fake_store.memory);
}

/* A started job of that recipe; its number makes its id. */
static inline struct job *fake_start(int number, const char *recipe)
{
    struct job job = {.id = arena_printf(&fake_store.memory, "01J%023d", number), .tenant = "t"};
    struct task tasks[RECIPE_TASKS_MAX];
    const char *needs[RECIPE_TASKS_MAX][RECIPE_NEEDS_MAX];
    recipe_plan(recipe_find(recipe), &job, tasks, needs);
    job_start(&job, clock_now_ms());
    fake_put(&job);
    return fake_store.jobs[fake_store.len - 1];
}

static void (*fake_seen_save)(const struct job *after);
static inline bool fake_save(const struct job *before, const struct job *after)
{
    struct job **stored = fake_find(before->id);
    if (!stored || (*stored)->rev != before->rev)
        return false;
    for (size_t i = 0; i < after->tasks.len; i++)
        fake_store.succeeded += after->tasks.at[i].state == TASK_SUCCEEDED &&
                                (*stored)->tasks.at[i].state != TASK_SUCCEEDED;
    fake_store.terminal += job_terminal(after) && !job_terminal(*stored);
    struct job *copy = fake_copy(after, &fake_store.memory);
    copy->rev = before->rev + 1;
    /* Only the difference is saved: leases that were renewed meanwhile stay. */
    for (size_t i = 0; i < after->tasks.len; i++)
        if (after->tasks.at[i].lease_until == before->tasks.at[i].lease_until)
            copy->tasks.at[i].lease_until = (*stored)->tasks.at[i].lease_until;
    *stored = copy;
    if (fake_seen_save)
        fake_seen_save(copy);
    return true;
}

int store_open(struct store **out, const struct store_settings *settings, const char *app,
               struct err *err)
{
    (void)settings, (void)app, (void)err;
    *out = NULL;
    return 0;
}

void store_free(struct store *store)
{
    (void)store;
}

int store_ping(struct store *store, struct err *err)
{
    (void)store;
    pthread_mutex_lock(&fake_store.lock);
    bool away = fake_is_away();
    fake_store.pings++;
    if (fake_store.clock_jump_ms && !away)
        clock_adjust(clock_now_ms() + fake_store.clock_jump_ms, clock_mono_ms());
    fake_store.clock_jump_ms = 0;
    pthread_mutex_unlock(&fake_store.lock);
    return away ? fake_away(err) : 0;
}

int64_t store_commands(const struct store *store)
{
    (void)store;
    return 0;
}

int store_job(struct store *store, const char *id, struct arena *arena, struct job *out,
              struct err *err)
{
    (void)store;
    pthread_mutex_lock(&fake_store.lock);
    bool away = fake_is_away();
    struct job *job = fake_job(id);
    if (job)
        *out = *fake_copy(job, arena);
    pthread_mutex_unlock(&fake_store.lock);
    if (away)
        return fake_away(err);
    return job ? 0 : err_set(err, ERR_JOB_NOT_FOUND, "no job");
}

int store_swap(struct store *store, struct store_swap *swaps, size_t len, struct err *err)
{
    (void)store;
    pthread_mutex_lock(&fake_store.lock);
    bool away = fake_is_away() || (fake_store.unswapped > 0 && fake_store.unswapped--);
    bool refused = fake_store.refused > 0 && fake_store.refused--;
    fake_store.swaps++;
    for (size_t i = refused; i < len && !away; i++)
        swaps[i].saved = fake_save(swaps[i].before, swaps[i].after);
    bool lost = !away && fake_is_lost();
    for (size_t i = 0; i < len && lost; i++)
        swaps[i].saved = false;
    pthread_mutex_unlock(&fake_store.lock);
    if (away || lost)
        return fake_away(err);
    return refused ? err_set(err, ERR_INTERNAL, "too large") : 0;
}

int store_claim(struct store *store, struct store_claim *claims, size_t len, const char *worker,
                int64_t now, int64_t lease_ms, struct arena *arena, struct err *err)
{
    (void)store;
    pthread_mutex_lock(&fake_store.lock);
    bool away = fake_is_away();
    for (size_t i = 0; i < len; i++)
        claims[i].claimed = false;
    for (size_t i = 0; i < len && !away; i++) {
        struct store_claim *claim = &claims[i];
        struct job **stored = fake_find(claim->job);
        if (!stored || claim->task >= (*stored)->tasks.len)
            continue;
        const struct task *task = &(*stored)->tasks.at[claim->task];
        bool ours = !claim->kind || claim->kind == task->kind;
        if (ours && (claim->alone || !task->crashes)) {
            struct job *draft = fake_copy(*stored, &fake_store.memory);
            claim->claimed = job_claim(draft, claim->task, arena_strdup(&fake_store.memory, worker),
                                       now, lease_ms);
            draft->rev += claim->claimed;
            *stored = draft;
        }
    }
    for (size_t i = 0; i < len && !away; i++) {
        struct job *job = fake_job(claims[i].job);
        claims[i].found = (struct job){0};
        if (job)
            claims[i].found = *fake_copy(job, arena);
    }
    bool lost = !away && fake_is_lost();
    pthread_mutex_unlock(&fake_store.lock);
    return away || lost ? fake_away(err) : 0;
}

int store_pulse(struct store *store, struct store_pulse *held, size_t len, const char *worker,
                int64_t lease_until, struct err *err)
{
    (void)store;
    pthread_mutex_lock(&fake_store.lock);
    bool away = fake_is_away();
    for (size_t i = 0; i < len && !away; i++) {
        struct job *job = fake_job(held[i].job);
        struct task *task = job ? &job->tasks.at[held[i].task] : NULL;
        held[i].alive = task && task->state == TASK_RUNNING && task->run == held[i].run &&
                        strcmp(task->worker, worker) == 0;
        if (!job)
            continue;
        held[i].rev = job->rev;
        held[i].stop = job->stop.code;
        if (held[i].alive)
            task->lease_until = lease_until;
    }
    pthread_mutex_unlock(&fake_store.lock);
    return away ? fake_away(err) : 0;
}

int store_due(struct store *store, int64_t now, size_t limit, struct arena *arena, struct job **out,
              size_t *len, struct err *err)
{
    (void)store;
    pthread_mutex_lock(&fake_store.lock);
    bool away = fake_is_away();
    fake_store.dues++;
    *out = arena_alloc_array(arena, limit, sizeof **out);
    *len = 0;
    for (size_t i = 0; i < fake_store.len && *len < limit && !away; i++)
        if (fake_store.jobs[i]->alarm_at && fake_store.jobs[i]->alarm_at <= now)
            (*out)[(*len)++] = *fake_copy(fake_store.jobs[i], arena);
    pthread_mutex_unlock(&fake_store.lock);
    return away ? fake_away(err) : 0;
}

static inline bool fake_waits(const struct job *job, enum kind kind, int64_t due)
{
    bool waits = false;
    for (size_t i = 0; i < job->tasks.len && job->alarm_at; i++)
        waits |= job->tasks.at[i].kind == kind && job->tasks.at[i].state == TASK_QUEUED &&
                 job->tasks.at[i].due_at <= due;
    return waits;
}

int store_count_waiting(struct store *store, enum kind kind, int64_t due, int64_t *out,
                        struct err *err)
{
    (void)store;
    pthread_mutex_lock(&fake_store.lock);
    bool away = fake_is_away();
    *out = 0;
    for (size_t i = 0; i < fake_store.len; i++)
        *out += fake_waits(fake_store.jobs[i], kind, due);
    pthread_mutex_unlock(&fake_store.lock);
    return away ? fake_away(err) : 0;
}

static inline int fake_by_alarm(const void *a, const void *b)
{
    const struct job *first = a, *second = b;
    return (first->alarm_at > second->alarm_at) - (first->alarm_at < second->alarm_at);
}

int store_waiting(struct store *store, const struct store_waiting *query, struct arena *arena,
                  struct job **out, size_t *len, struct err *err)
{
    (void)store;
    pthread_mutex_lock(&fake_store.lock);
    bool away = fake_is_away();
    *out = arena_alloc_array(arena, fake_store.len + 1, sizeof **out);
    *len = 0;
    for (size_t i = 0; i < fake_store.len && !away; i++)
        if (fake_waits(fake_store.jobs[i], query->kind, query->due) &&
            fake_store.jobs[i]->nudges >= query->nudges &&
            fake_store.jobs[i]->alarm_at >= query->from)
            (*out)[(*len)++] = *fake_copy(fake_store.jobs[i], arena);
    qsort(*out, *len, sizeof **out, fake_by_alarm);
    *len = *len < query->limit ? *len : query->limit;
    pthread_mutex_unlock(&fake_store.lock);
    return away ? fake_away(err) : 0;
}

int store_insert_jobs(struct store *store, const struct job *const *jobs, size_t len,
                      struct err *errs, struct err *err)
{
    (void)store, (void)errs;
    pthread_mutex_lock(&fake_store.lock);
    bool away = fake_is_away();
    for (size_t i = 0; i < len && !away; i++)
        if (!fake_find(jobs[i]->id))
            fake_put(jobs[i]);
    pthread_mutex_unlock(&fake_store.lock);
    return away ? fake_away(err) : 0;
}

#include "fake_records.h"

#endif
