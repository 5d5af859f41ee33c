/* The threads that run tasks: handler, settle, what follows, done. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/clock.h"
#include "common/doc_bson.h"
#include "common/log.h"
#include "common/reconcile.h"
#include "worker/batch.h"
#include "worker/finish.h"
#include "worker/held.h"
#include "worker/run.h"
#include "worker/workspace.h"

/* How long an ended run waits for a store that does not answer; after that the lease's end tells.
 */
enum { SETTLE_PATIENCE_MS = 600000, SLOT_STACK_BYTES = 1 << 20 };

/* Of the handler; a process with one slot lends it all its threads (encoders). */
static int64_t cpu_ms(const struct runtime *runtime)
{
    struct timespec cpu;
    clock_gettime(runtime->slots == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_THREAD_CPUTIME_ID, &cpu);
    return (int64_t)cpu.tv_sec * 1000 + cpu.tv_nsec / 1000000;
}

static int64_t jitter_pm(void)
{
    uint16_t random = 200;
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        return 0;
    return (int64_t)(random % 401) - 200;
}

static int call_handler(struct run *run, struct raw *packed, struct err *err)
{
    const struct kind_row *kind = run->runtime->kind;
    void *params = arena_alloc(&run->arena, kind->params->size);
    void *result = arena_alloc(&run->arena, kind->result->size);
    if (doc_bson_unpack(kind->params, &run_task(run)->params, &run->arena, params, err))
        return err_prefix(err, "params");
    if (run->runtime->worker->handle(run, params, result, err)) {
        /* What was told to stop knows only that; the run knows why. */
        return err->code == ERR_CANCELLED && run_stopped(run) ? run_stop_error(run, err) : -1;
    }
    *packed = doc_bson_pack(kind->result, result, &run->arena);
    return 0;
}

/* Runs the handler and writes down how that ended. */
static void perform(struct run *run)
{
    struct err err = {0};
    int64_t cpu = cpu_ms(run->runtime);
    struct outcome *outcome = &run->outcome;
    atomic_store(&run->working, true);
    int failed = call_handler(run, &outcome->result, &err);
    atomic_store(&run->working, false);
    if (failed) {
        enum error code = err.code ? err.code : ERR_INTERNAL;
        outcome->error = (struct task_error){code, arena_strdup(&run->arena, err.detail)};
        outcome->retry_after_ms = err.retry_after_ms;
        outcome->jitter_pm = jitter_pm();
        outcome->release = circuit_opens(&run->runtime->circuit, run->slot->bucket, code);
    }
    outcome->usage = (struct usage){.cpu_ms = cpu_ms(run->runtime) - cpu,
                                    .bytes_in = atomic_load(&run->bytes_in),
                                    .bytes_out = atomic_load(&run->bytes_out)};
    outcome->message = run->message[0] ? run->message : NULL;
}

static void count(struct counters *counters, const struct task *task)
{
    if (task->state == TASK_SUCCEEDED)
        atomic_fetch_add(&counters->succeeded, 1);
    else if (task->state == TASK_QUEUED && task->error.code)
        atomic_fetch_add(&counters->retried, 1);
    else if (task->state == TASK_QUEUED)
        atomic_fetch_add(&counters->released, 1);
    else
        atomic_fetch_add(&counters->failed, 1);
}

static void log_run(const struct run *run, const char *event, const struct job *after)
{
    char number[24], took[24];
    const struct task_error *error = &run->outcome.error;
    const char *state = after ? task_state_names[after->tasks.at[run->task].state] : NULL;
    snprintf(number, sizeof number, "%lld", (long long)run->number);
    snprintf(took, sizeof took, "%lld", (long long)(clock_mono_ms() - run->claimed_mono));
    log_event(error->code ? LOG_WARN : LOG_INFO, event, "job", run->job->id, "task", run_name(run),
              "run", number, "state", state, "ms", took, "code",
              error->code ? error_name(error->code) : NULL, "detail", error->detail, NULL);
}

static void finish_or_log(struct run *run, const struct job *job)
{
    struct err err = {0};
    if (finish_job(run->runtime, job, &run->arena, &err))
        log_event(LOG_WARN, "finish-failed", "job", job->id, "code", error_name(err.code), "detail",
                  err.detail, NULL);
}

/* What follows from a saved settle: tickets of what became ready, or the finish duties. A lost
 * ticket, and duties that fail, are the alarm's business. */
static void follow_up(struct run *run, const struct job *after)
{
    struct err err = {0};
    if (job_finishing(after))
        finish_or_log(run, after);
    else if (reconcile_publish(run->runtime->publisher, after, clock_now_ms(), &err))
        log_event(LOG_WARN, "publish-failed", "job", after->id, "detail", err.detail, NULL);
}

/* Files of a run that did not win are nobody's. */
static void forget_files(struct run *run)
{
    struct err err = {0};
    if (run->dir && workspace_forget(run->dir, &err))
        log_event(LOG_WARN, "files-left", "job", run->job->id, "detail", err.detail, NULL);
}

static void settled(struct run *run, const struct job *after)
{
    count(&run->runtime->counters, &after->tasks.at[run->task]);
    log_run(run, "task", after);
    follow_up(run, after);
}

static void settle_unsaved(struct run *run)
{
    struct err err = {0};
    struct job *after = NULL;
    switch (batch_settle(run->runtime->batch, run, run->ended_mono + SETTLE_PATIENCE_MS, &after,
                         &err)) {
    case SETTLED:
        settled(run, after);
        break;
    case SETTLE_LOST:
        log_run(run, "task-lost", NULL);
        forget_files(run);
        break;
    case SETTLE_FAILED:
        run->requeue = true;
        log_event(LOG_ERROR, "settle-failed", "job", run->job->id, "detail", err.detail, NULL);
        break;
    }
}

/* true: its end was offered to the batch, it comes back. */
static bool begin(struct slot *slot, struct run *run)
{
    run->slot = slot;
    if (run->finish_only) {
        finish_or_log(run, run->job);
        return false;
    }
    perform(run);
    run->ended_mono = clock_mono_ms();
    if (run->outcome.error.code)
        forget_files(run);
    batch_offer(run->runtime->batch, run);
    return true;
}

static void go_on(struct slot *slot, struct run *run)
{
    if (run->stage == RUN_CLAIMED && begin(slot, run))
        return;
    for (struct run *saved = run; saved && run->stage == RUN_SAVED; saved = saved->with)
        settled(saved, saved->end.after);
    if (run->stage == RUN_UNSAVED)
        settle_unsaved(run);
    held_done(slot->runtime, run);
}

static void *loop(void *arg)
{
    struct slot *slot = arg;
    struct run *run;
    while (held_next(&slot->runtime->held, &run)) {
        if (run)
            go_on(slot, run);
        else
            batch_save(slot->runtime->batch);
    }
    bucket_free(slot->bucket);
    return NULL;
}

int slots_open(struct runtime *runtime, struct err *err)
{
    pthread_attr_t small;
    runtime->slot = calloc((size_t)runtime->slots, sizeof *runtime->slot);
    if (!runtime->slot)
        abort();
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, SLOT_STACK_BYTES);
    int failed = 0;
    for (int64_t i = 0; i < runtime->slots && !failed; i++) {
        runtime->slot[i].runtime = runtime;
        failed = pthread_create(&runtime->slot[i].thread, &small, loop, &runtime->slot[i]);
    }
    pthread_attr_destroy(&small);
    return failed ? err_errno(err, failed, "start %lld slots", (long long)runtime->slots) : 0;
}

void slots_close(struct runtime *runtime)
{
    held_close(&runtime->held);
    for (int64_t i = 0; i < runtime->slots; i++)
        pthread_join(runtime->slot[i].thread, NULL);
    free(runtime->slot);
}
