/* The pulse thread: once a second leases and progress in one batch, stop flags back; every 5 s the
 * process's beat. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/change.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/process.h"
#include "worker/held.h"
#include "worker/run.h"
#include "worker/workspace.h"

enum {
    TICK_MS = 1000,
    YOUNG_MS = 800,   /* shorter runs are never pulsed: they end before it matters */
    STUCK_MS = 60000, /* a handler that does not stop for so long takes its process with it */
    ACTIVE_MAX = 16   /* runs named in the beat */
};

struct beat {
    int64_t pulsed_mono, beat_mono, clock_mono;
};

/* What one pulse is about: the run, and what it said. A run may end meanwhile: `run` is compared,
 * not followed. */
struct entry {
    struct run *run;
    int64_t number;
};

static void tell(struct run *run, struct store_pulse *pulse, struct arena *arena)
{
    pthread_mutex_lock(&run->lock);
    const char *message = run->message[0] ? arena_strdup(arena, run->message) : NULL;
    pthread_mutex_unlock(&run->lock);
    *pulse = (struct store_pulse){.job = arena_strdup(arena, run->job->id),
                                  .task = run->task,
                                  .run = run->number,
                                  .rev = run->rev,
                                  .percent = atomic_load(&run->percent),
                                  .message = message};
}

static size_t gather(struct runtime *runtime, int64_t mono, struct arena *arena,
                     struct entry **entries, struct store_pulse **pulses)
{
    struct held *held = &runtime->held;
    size_t len = 0;
    pthread_mutex_lock(&held->lock);
    *entries = arena_alloc_array(arena, held->len, sizeof **entries);
    *pulses = arena_alloc_array(arena, held->len, sizeof **pulses);
    for (struct run *run = held->first; run; run = run->held_next) {
        if (run->finish_only || run->lost || mono - run->claimed_mono < YOUNG_MS)
            continue;
        (*entries)[len] = (struct entry){run, run->number};
        tell(run, &(*pulses)[len++], arena);
    }
    pthread_mutex_unlock(&held->lock);
    return len;
}

static struct run *still_held(struct held *held, const struct entry *entry,
                              const struct store_pulse *pulse)
{
    for (struct run *run = held->first; run; run = run->held_next)
        if (run == entry->run && run->number == entry->number &&
            strcmp(run->job->id, pulse->job) == 0)
            return run;
    return NULL;
}

static void hear(struct runtime *runtime, const struct entry *entries,
                 const struct store_pulse *pulses, size_t len, int64_t lease_mono)
{
    pthread_mutex_lock(&runtime->held.lock);
    for (size_t i = 0; i < len; i++) {
        struct run *run = still_held(&runtime->held, &entries[i], &pulses[i]);
        if (!run)
            continue;
        run->rev = pulses[i].rev;
        run->lost = !pulses[i].alive;
        if (run->lost)
            run_stop(run, ERR_LEASE_LOST);
        else
            atomic_store(&run->lease_mono, lease_mono);
        if (pulses[i].stop)
            run_stop(run, ERR_CANCELLED);
    }
    pthread_mutex_unlock(&runtime->held.lock);
}

/* false: the store does not answer. */
static bool pulse(struct runtime *runtime, struct arena *arena)
{
    struct entry *entries;
    struct store_pulse *pulses;
    struct err err = {0};
    int64_t mono = clock_mono_ms();
    size_t len = gather(runtime, mono, arena, &entries, &pulses);
    if (len == 0)
        return true;
    if (store_pulse(runtime->store, pulses, len, runtime->id, clock_now_ms() + runtime->lease_ms,
                    &err)) {
        log_event(LOG_WARN, "pulse-failed", "detail", err.detail, NULL);
        return err.code != ERR_STORE_UNAVAILABLE;
    }
    hear(runtime, entries, pulses, len, mono + runtime->lease_ms);
    return true;
}

/* A handler that does not return, and what its run ends with. */
struct hang {
    char job[27]; /* a ULID */
    char task[64];
    size_t index;
    int64_t number;
    struct err why;
};

static void describe(const struct run *run, struct hang *out)
{
    snprintf(out->job, sizeof out->job, "%s", run->job->id);
    snprintf(out->task, sizeof out->task, "%s", run_name(run));
    out->index = run->task;
    out->number = run->number;
    run_stop_error(run, &out->why);
}

static bool settle_hang(struct job *draft, void *arg)
{
    const struct hang *hang = arg;
    const struct outcome outcome = {.error = {hang->why.code, hang->why.detail}};
    return job_settle(draft, hang->index, hang->number, &outcome, clock_now_ms());
}

/* The process ends, which is the only way to end a thread; it says first why. Whose lease is lost
 * has nothing to say, and without the store it is a crash like any other. */
static void end_with(struct runtime *runtime, struct hang *hang, struct arena *arena)
{
    struct err err = {0};
    struct job *after;
    log_event(LOG_ERROR, "handler-hangs", "job", hang->job, "task", hang->task, NULL);
    if (hang->why.code != ERR_LEASE_LOST &&
        change_job(runtime->store, hang->job, NULL, settle_hang, hang, arena, &after, &err) < 0)
        log_event(LOG_WARN, "settle-failed", "job", hang->job, "detail", err.detail, NULL);
    _exit(70);
}

/* What needs no store: leases that could not be renewed, time limits, handlers that hang. */
static void watch(struct runtime *runtime, struct arena *arena)
{
    struct hang hang = {0};
    int64_t mono = clock_mono_ms();
    pthread_mutex_lock(&runtime->held.lock);
    for (struct run *run = runtime->held.first; run; run = run->held_next) {
        if (run->finish_only)
            continue;
        if (mono >= atomic_load(&run->lease_mono))
            run_stop(run, ERR_LEASE_LOST);
        if (mono >= run->deadline_mono)
            run_stop(run, ERR_TIMEOUT);
        if (!atomic_load(&run->stop) || !atomic_load(&run->working))
            continue;
        if (!run->stopped_mono)
            run->stopped_mono = mono;
        if (mono - run->stopped_mono > STUCK_MS)
            describe(run, &hang);
    }
    pthread_mutex_unlock(&runtime->held.lock);
    if (hang.why.code)
        end_with(runtime, &hang, arena);
}

static struct strs active(struct runtime *runtime, struct arena *arena)
{
    struct strs names = {arena_alloc_array(arena, ACTIVE_MAX, sizeof(char *)), 0};
    pthread_mutex_lock(&runtime->held.lock);
    for (struct run *run = runtime->held.first; run && names.len < ACTIVE_MAX; run = run->held_next)
        names.at[names.len++] = arena_printf(arena, "%s/%s", run->job->id, run_name(run));
    pthread_mutex_unlock(&runtime->held.lock);
    return names;
}

static int64_t cpu_ms(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
}

static void say_beat(struct runtime *runtime, struct arena *arena)
{
    struct counters *counters = &runtime->counters;
    struct err err = {0};
    struct worker_beat beat = {
        .id = runtime->id,
        .host = runtime->host,
        .kind = runtime->worker->kind,
        .pid = getpid(),
        .started_at = runtime->started_at,
        .beat_at = clock_now_ms(),
        .draining = atomic_load(&runtime->draining),
        .paused = atomic_load(&runtime->paused),
        .slots = runtime->slots,
        .busy = (int64_t)held_len(&runtime->held),
        .unacked = (int64_t)held_len(&runtime->held) + atomic_load(&runtime->pending),
        .active = active(runtime, arena),
        .claimed = atomic_load(&counters->claimed),
        .succeeded = atomic_load(&counters->succeeded),
        .failed = atomic_load(&counters->failed),
        .retried = atomic_load(&counters->retried),
        .released = atomic_load(&counters->released),
        .crashes_seen = atomic_load(&counters->crashes_seen),
        .storage_retries = atomic_load(&counters->storage_retries),
        .dropped = atomic_load(&counters->dropped),
        .garbage = atomic_load(&counters->garbage),
        .rss_bytes = process_rss_bytes(),
        .cpu_ms = cpu_ms(),
        .store_commands = store_commands(runtime->store),
        .disk_free_bytes = workspace_free_bytes(runtime->config->fleet.workspace),
        .version = MEDIAFLEET_VERSION,
    };
    /* Whole: an update would leave what has become zero as it was. */
    if (store_upsert_many(runtime->store, WORKER_BEAT_COLLECTION, &worker_beat_doc, &beat, 1, &err))
        log_event(LOG_WARN, "beat-failed", "detail", err.detail, NULL);
}

static void tick(struct runtime *runtime, struct beat *last, struct arena *arena)
{
    struct err err = {0};
    int64_t mono = clock_mono_ms();
    bool answers = pulse(runtime, arena);
    watch(runtime, arena);
    if (!answers)
        return; /* what keeps the leases is tried again first */
    if (mono - last->beat_mono >= WORKER_BEAT_MS) {
        say_beat(runtime, arena);
        last->beat_mono = mono;
    }
    if (mono - last->clock_mono >= JOB_CLOCK_MS && store_ping(runtime->store, &err) == 0)
        last->clock_mono = mono;
}

static void *loop(void *arg)
{
    struct runtime *runtime = arg;
    struct arena arena = {0};
    struct beat last = {.clock_mono = clock_mono_ms() - JOB_CLOCK_MS,
                        .beat_mono = clock_mono_ms() - WORKER_BEAT_MS};
    while (!atomic_load(&runtime->pulse_ends)) {
        int64_t began = clock_mono_ms();
        tick(runtime, &last, &arena);
        arena_reset(&arena);
        for (int64_t left = TICK_MS; left > 0 && !atomic_load(&runtime->pulse_ends);
             left = TICK_MS - (clock_mono_ms() - began))
            clock_sleep_ms(left > 100 ? 100 : left);
    }
    arena_release(&arena);
    return NULL;
}

int pulse_open(struct runtime *runtime, struct err *err)
{
    int failed = pthread_create(&runtime->pulse, NULL, loop, runtime);
    return failed ? err_errno(err, failed, "start the pulse") : 0;
}

void pulse_close(struct runtime *runtime)
{
    struct err err = {0};
    const char *ids[] = {runtime->id};
    atomic_store(&runtime->pulse_ends, true);
    pthread_join(runtime->pulse, NULL);
    if (store_delete_many(runtime->store, WORKER_BEAT_COLLECTION, &worker_beat_doc, ids, 1, &err))
        log_event(LOG_WARN, "beat-left", "detail", err.detail, NULL);
}
