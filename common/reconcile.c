/* The reconciler's thread: due jobs, one batch of swaps a second, tickets for what was saved. */
#include "common/reconcile.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "common/change.h"
#include "common/clock.h"
#include "common/id.h"
#include "common/missing.h"
#include "proto/worker_beat.h"

enum {
    BATCH = 500,
    WITHHELD_MAX = 20 * BATCH,
    PASS_MS = 1000,
    PASSES_AT_ONCE = 20,
    TIDY_MS = 60000,
    FORGET_MS = 3600000, /* a dead worker is shown for an hour */
    WORKERS_MAX = 1000
};

struct reconcile {
    struct store *store;
    struct publisher *publisher;
    char owner[ID_ULID_LEN + 1]; /* in leases */
    int64_t lease_ms;
    int64_t trusted_from; /* monotonic: leases are judged from then on */
    int64_t offset_ms;    /* of the store's clock from ours, as it was last judged by */
    int64_t tidied;       /* monotonic */
    size_t withheld;      /* due jobs that the last pass could not judge yet */
    struct missing missing[KIND_COUNT];
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop;
    atomic_llong looked, expired, published, conflicts, failures;
};

/* Any worker does the finish duties of any job. The cleanup queue is short; should nobody serve it,
 * the next try goes to where the job began. */
static enum kind finisher(const struct job *job)
{
    return job->nudges % 2 ? job->tasks.at[0].kind : KIND_CLEANUP;
}

static bool lease_ended(const struct job *job, int64_t now)
{
    for (size_t i = 0; i < job->tasks.len; i++)
        if (job->tasks.at[i].state == TASK_RUNNING && job->tasks.at[i].lease_until <= now)
            return true;
    return false;
}

/* The tickets that the job needs. With r, those of tasks that came due before `repeated` have been
 * published already: only such as may be repeated. */
static size_t tickets(const struct job *job, int64_t now, struct reconcile *r, int64_t repeated,
                      struct publication out[JOB_TASKS_MAX])
{
    size_t len = 0;
    for (size_t i = 0; i < job->tasks.len && i < JOB_TASKS_MAX; i++) {
        const struct task *task = &job->tasks.at[i];
        bool again = r && task->due_at < repeated;
        if (job_due(job, i, now) &&
            (!again || missing_take(&r->missing[task->kind], r->store, r->publisher, now)))
            out[len++] =
                (struct publication){.kind = task->kind, .job = job->id, .task = (int64_t)i};
    }
    if (job_finishing(job) && job->tasks.len) /* then no task is due */
        out[len++] = (struct publication){.kind = finisher(job), .job = job->id, .task = 0};
    return len;
}

int reconcile_publish(struct publisher *publisher, const struct job *job, int64_t now,
                      struct err *err)
{
    struct publication due[JOB_TASKS_MAX];
    size_t len = tickets(job, now, NULL, 0, due);
    return len ? publisher_send(publisher, due, len, err) : 0;
}

static void publish_saved(struct reconcile *r, const struct store_swap *swap, bool expired,
                          int64_t now)
{
    struct err err = {0};
    struct publication due[JOB_TASKS_MAX];
    size_t len = tickets(swap->after, now, expired ? NULL : r, swap->before->alarm_at, due);
    if (len && publisher_send(r->publisher, due, len, &err) == 0)
        atomic_fetch_add(&r->published, (long long)len);
}

static bool is_trusted(const struct reconcile *r)
{
    return clock_mono_ms() >= r->trusted_from;
}

static int judge(struct reconcile *r, struct job *jobs, size_t len, int64_t now,
                 struct arena *arena, struct err *err)
{
    struct store_swap *swaps = arena_alloc_array(arena, len, sizeof *swaps);
    bool *expired = arena_alloc_array(arena, len, sizeof *expired);
    bool trusted = is_trusted(r);
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (!trusted && lease_ended(&jobs[i], now))
            continue;
        struct job *after = change_draft(&jobs[i], arena);
        expired[n] = job_expire(after, now);
        if (!expired[n])
            job_nudge(after, now);
        swaps[n++] = (struct store_swap){.before = &jobs[i], .after = after};
    }
    r->withheld = len - n < WITHHELD_MAX ? len - n : WITHHELD_MAX;
    /* One document that is refused must not keep the others from what follows. */
    int failed = n ? store_swap(r->store, swaps, n, err) : 0;
    for (size_t i = 0; i < n; i++) {
        if (!swaps[i].saved) {
            atomic_fetch_add(&r->conflicts, 1);
            continue;
        }
        atomic_fetch_add(&r->expired, expired[i]);
        publish_saved(r, &swaps[i], expired[i], now);
    }
    return failed;
}

/* The beats of workers that died long ago. */
static int forget_workers(struct reconcile *r, int64_t now, struct arena *arena, struct err *err)
{
    struct store_page page = {.limit = WORKERS_MAX};
    struct worker_beat *beats;
    void *found;
    size_t len, gone = 0;
    if (store_find(r->store, WORKER_BEAT_COLLECTION, &worker_beat_doc, &page, arena, &found, &len,
                   err))
        return -1;
    beats = found;
    const char **ids = arena_alloc_array(arena, len + 1, sizeof *ids);
    for (size_t i = 0; i < len; i++)
        if (now - beats[i].beat_at > FORGET_MS)
            ids[gone++] = beats[i].id;
    return gone ? store_delete_many(r->store, WORKER_BEAT_COLLECTION, &worker_beat_doc, ids, gone,
                                    err)
                : 0;
}

/* A failover may have brought a server with another time. Until every worker has asked for it, too,
 * and has renewed what it holds, leases say nothing. Others of this process ask, too: what they
 * heard in between is a jump as well. */
static int ask_clock(struct reconcile *r, struct err *err)
{
    if (store_ping(r->store, err))
        return -1;
    int64_t offset_ms = clock_now_ms() - clock_mono_ms();
    int64_t jump = offset_ms - r->offset_ms, usual = JOB_SKEW_MS + r->lease_ms / 2;
    r->offset_ms = offset_ms;
    if (jump > usual || jump < -usual)
        r->trusted_from = clock_mono_ms() + JOB_CLOCK_MS + r->lease_ms;
    return 0;
}

/* Once a minute: the store's clock, and old beats. Beats that cannot be read strand no job. */
static int tidy(struct reconcile *r, struct arena *arena, struct err *err)
{
    struct err unread = {0};
    int64_t mono = clock_mono_ms();
    if (r->tidied && mono - r->tidied < TIDY_MS)
        return 0;
    if (ask_clock(r, err))
        return -1;
    if (forget_workers(r, clock_now_ms(), arena, &unread))
        atomic_fetch_add(&r->failures, 1);
    r->tidied = mono;
    return 0;
}

static bool any_lease_ended(const struct job *jobs, size_t len, int64_t now)
{
    for (size_t i = 0; i < len; i++)
        if (lease_ended(&jobs[i], now))
            return true;
    return false;
}

/* One look at what is due: 1 if there was more than one look holds, -1 when the store did not
 * answer. What cannot be judged yet is read again and again: it must not keep out the others. */
static int pass(struct reconcile *r, struct arena *arena, struct err *err)
{
    struct job *jobs = NULL;
    size_t len = 0;
    if (tidy(r, arena, err))
        return -1;
    int64_t now = clock_now_ms();
    size_t limit = BATCH + (is_trusted(r) ? 0 : r->withheld);
    r->withheld = 0;
    if (store_due(r->store, now, limit, arena, &jobs, &len, err))
        return -1;
    atomic_fetch_add(&r->looked, (long long)len);
    /* Nobody's lease ends by a clock that was not asked just now. */
    if (is_trusted(r) && any_lease_ended(jobs, len, now) && ask_clock(r, err))
        return -1;
    if (len && judge(r, jobs, len, clock_now_ms(), arena, err))
        return -1;
    return len == limit && limit < BATCH + WITHHELD_MAX;
}

/* One batch, without the jobs that somebody looked at just now; returns how many it was with them.
 * The query goes on from there. */
static int look_further(struct reconcile *r, struct store_waiting *query, int64_t now,
                        struct arena *arena, struct err *err)
{
    size_t most = (size_t)r->missing[query->kind].tickets, len, kept = 0;
    struct job *jobs = NULL;
    if (store_waiting(r->store, query, arena, &jobs, &len, err))
        return -1;
    int64_t last = len ? jobs[len - 1].alarm_at : query->from;
    for (size_t i = 0; i < len && kept < most; i++)
        if (jobs[i].alarm_at <= job_alarm(&jobs[i], now) - MISSING_WAY_MS)
            jobs[kept++] = jobs[i];
    query->from = last > query->from || kept ? last : last + 1;
    return kept && judge(r, jobs, kept, now, arena, err) ? -1 : (int)len;
}

/* Alarms of jobs that have waited for long are minutes apart. When tickets are missing (a queue was
 * purged, the broker was away) nobody waits for them. */
static int look_ahead(struct reconcile *r, enum kind kind, struct arena *arena, struct err *err)
{
    struct missing *missing = &r->missing[kind];
    int64_t now = clock_now_ms();
    bool everybody = missing->after > 0;
    if (!missing_look(missing, r->store, r->publisher, now))
        return 0;
    struct store_waiting query = {.kind = kind,
                                  .due = now - MISSING_WAY_MS,
                                  .nudges = everybody ? 0 : 1,
                                  .from = 1,
                                  .limit = BATCH};
    int found = BATCH;
    for (int i = 0; i < PASSES_AT_ONCE && found == BATCH && missing->tickets > 0; i++) {
        found = look_further(r, &query, now, arena, err);
        if (found < 0)
            return -1;
        arena_reset(arena);
    }
    return 0;
}

static int look_ahead_all(struct reconcile *r, struct arena *arena, struct err *err)
{
    struct err why = {0};
    bool away = publisher_check(r->publisher, &why) != 0;
    for (enum kind kind = KIND_NONE + 1; kind < KIND_COUNT; kind++)
        if (away)
            missing_after_outage(&r->missing[kind]);
        else if (look_ahead(r, kind, arena, err))
            return -1;
    return 0;
}

/* What is due, then what may be missing; -1 when the store did not answer. */
static int look_round(struct reconcile *r, struct arena *arena, struct err *err)
{
    int more = 1;
    for (enum kind kind = KIND_NONE + 1; kind < KIND_COUNT; kind++)
        missing_begin(&r->missing[kind], kind, r->owner);
    for (int i = 0; i < PASSES_AT_ONCE && more == 1; i++) {
        more = pass(r, arena, err);
        if (more < 0)
            return -1;
        arena_reset(arena);
    }
    return look_ahead_all(r, arena, err);
}

static bool pause_pass(struct reconcile *r)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PASS_MS / 1000;
    pthread_mutex_lock(&r->lock);
    while (!r->stop && pthread_cond_timedwait(&r->wake, &r->lock, &until) == 0)
        ;
    bool stop = r->stop;
    pthread_mutex_unlock(&r->lock);
    return !stop;
}

static void *loop(void *arg)
{
    struct reconcile *r = arg;
    struct arena arena = {0};
    do {
        struct err err = {0};
        if (look_round(r, &arena, &err)) {
            atomic_fetch_add(&r->failures, 1);
            if (err.code == ERR_STORE_UNAVAILABLE)
                r->trusted_from = clock_mono_ms() + r->lease_ms;
        }
        arena_reset(&arena);
    } while (pause_pass(r));
    arena_release(&arena);
    return NULL;
}

int reconcile_open(struct reconcile **out, struct store *store, struct publisher *publisher,
                   int64_t lease_ms, struct err *err)
{
    struct reconcile *r = calloc(1, sizeof *r);
    if (!r)
        abort();
    r->store = store;
    r->publisher = publisher;
    r->lease_ms = lease_ms;
    id_ulid(clock_now_ms(), r->owner);
    r->trusted_from = clock_mono_ms() + lease_ms;
    r->offset_ms = clock_now_ms() - clock_mono_ms();
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&r->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&r->lock, NULL);
    int failed = pthread_create(&r->thread, NULL, loop, r);
    if (failed) {
        free(r);
        return err_errno(err, failed, "start the reconciler's thread");
    }
    *out = r;
    return 0;
}

void reconcile_free(struct reconcile *r)
{
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    r->stop = true;
    pthread_cond_signal(&r->wake);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
    pthread_cond_destroy(&r->wake);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

struct reconcile_counts reconcile_counts(struct reconcile *r)
{
    return (struct reconcile_counts){.looked = atomic_load(&r->looked),
                                     .expired = atomic_load(&r->expired),
                                     .published = atomic_load(&r->published),
                                     .conflicts = atomic_load(&r->conflicts),
                                     .failures = atomic_load(&r->failures)};
}
