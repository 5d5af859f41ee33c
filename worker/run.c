/* What a handler may ask and tell: the run it was given. */
#include "worker/run.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>

#include "common/bucket_admin.h"
#include "common/change.h"
#include "common/clock.h"
#include "common/doc_bson.h"
#include "worker/held.h"
#include "worker/workspace.h"

const struct job *run_job(const struct run *run)
{
    return run->job;
}

const struct task *run_task(const struct run *run)
{
    return &run->job->tasks.at[run->task];
}

struct arena *run_arena(struct run *run)
{
    return &run->arena;
}

const void *run_settings(const struct run *run)
{
    return run->runtime->config->kind;
}

const struct fleet_settings *run_fleet(const struct run *run)
{
    return &run->runtime->config->fleet;
}

struct store *run_store(struct run *run)
{
    return run->runtime->store;
}

struct publisher *run_publisher(struct run *run)
{
    return run->runtime->publisher;
}

int64_t run_tombstone_ms(const struct run *run)
{
    return run->runtime->config->worker.tombstone_s * 1000;
}

static bool is_stopped(void *arg)
{
    return run_stopped(arg);
}

static void count_retry(void *arg)
{
    const struct run *run = arg;
    atomic_fetch_add(&run->runtime->counters.storage_retries, 1);
}

int run_bucket(struct run *run, struct bucket **out, struct err *err)
{
    struct slot *slot = run->slot;
    if (!slot->bucket && bucket_open(&slot->bucket, &run->runtime->config->bucket, err))
        return -1;
    slot->watch = (struct bucket_watch){.stopped = is_stopped, .retried = count_retry, .arg = run};
    bucket_set_watch(slot->bucket, &slot->watch);
    *out = slot->bucket;
    return 0;
}

int run_open_bucket(struct run *run, enum backend backend, struct bucket **out, struct err *err)
{
    struct slot *slot = run->slot;
    if (bucket_open_as(out, &run->runtime->config->bucket, backend, err))
        return -1;
    slot->watch = (struct bucket_watch){.stopped = is_stopped, .retried = count_retry, .arg = run};
    bucket_set_watch(*out, &slot->watch);
    return 0;
}

int run_cores(const struct run *run)
{
    const struct worker_settings *settings = &run->runtime->config->worker;
    cpu_set_t cpus;
    int64_t cores = settings->cores;
    if (cores == 0)
        cores = sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? CPU_COUNT(&cpus) : 1;
    return cores > settings->processes ? (int)(cores / settings->processes) : 1;
}

int run_scratch(struct run *run, int *fd, struct err *err)
{
    const char *workspace = run->runtime->config->fleet.workspace;
    *fd = open(workspace, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return *fd < 0 ? err_errno(err, errno, "make a file in '%.200s'", workspace) : 0;
}

const char *run_dir(struct run *run, struct err *err)
{
    if (run->dir)
        return run->dir;
    char *dir = workspace_dir(run->runtime->config->fleet.workspace, run->job->id, run_name(run),
                              run->number, &run->arena);
    if (workspace_make(dir, err))
        return NULL;
    return run->dir = dir;
}

const char *run_dir_of(struct run *run, const char *name)
{
    const struct task *task = job_task(run->job, name);
    if (!task || task->state != TASK_SUCCEEDED)
        return NULL;
    return workspace_dir(run->runtime->config->fleet.workspace, run->job->id, name, task->run,
                         &run->arena);
}

const char *run_workspace(const struct run *run)
{
    return run->runtime->config->fleet.workspace;
}

int64_t run_tombstone_s(const struct run *run)
{
    return run->runtime->config->worker.tombstone_s;
}

int run_need(struct run *run, const char *name, void *out, struct err *err)
{
    const struct task *task = job_task(run->job, name);
    if (!task || task->state != TASK_SUCCEEDED)
        return 0;
    if (doc_bson_unpack(kinds[task->kind].result, &task->result, &run->arena, out, err))
        return err_prefix(err, "result of %s", name);
    return 1;
}

struct checkpoint {
    const struct run *run;
    struct raw result;
};

static bool apply_checkpoint(struct job *draft, void *arg)
{
    const struct checkpoint *checkpoint = arg;
    return job_checkpoint(draft, checkpoint->run->task, checkpoint->run->number,
                          checkpoint->result);
}

int run_checkpoint(struct run *run, const void *result, struct err *err)
{
    struct checkpoint checkpoint = {run,
                                    doc_bson_pack(run->runtime->kind->result, result, &run->arena)};
    struct job *after = NULL;
    int answer = change_job(run->runtime->store, run->job->id, run->saved ? run->saved : run->job,
                            apply_checkpoint, &checkpoint, &run->arena, &after, err);
    if (answer == 1)
        return err_set(err, ERR_LEASE_LOST, "the run is not ours any more");
    if (answer == 0)
        run->saved = after;
    return answer;
}

void run_progress(struct run *run, int64_t percent, const char *message)
{
    long long capped = percent > 99 ? 99 : percent < 0 ? 0 : percent;
    long long told = atomic_load(&run->percent);
    while (capped > told && !atomic_compare_exchange_weak(&run->percent, &told, capped))
        ;
    if (!message)
        return;
    pthread_mutex_lock(&run->lock);
    snprintf(run->message, sizeof run->message, "%s", message);
    err_clean(run->message);
    pthread_mutex_unlock(&run->lock);
}

void run_usage(struct run *run, int64_t bytes_in, int64_t bytes_out)
{
    atomic_fetch_add(&run->bytes_in, bytes_in);
    atomic_fetch_add(&run->bytes_out, bytes_out);
}

/* The pulse may be waiting for the store when the lease ends. */
static bool lease_ended(const struct run *run)
{
    return !run->finish_only && clock_mono_ms() >= atomic_load(&run->lease_mono);
}

bool run_stopped(const struct run *run)
{
    return atomic_load(&run->stop) != ERR_NONE || lease_ended(run);
}

int run_stop_error(const struct run *run, struct err *err)
{
    const struct task *task = run_task(run);
    enum error stop = atomic_load(&run->stop), reason = stop ? stop : ERR_LEASE_LOST;
    switch (reason) {
    case ERR_TIMEOUT:
        return err_set(err, reason, "did not end within %lld s", (long long)task->timeout_s);
    case ERR_SHUTTING_DOWN:
        return err_set(err, reason, "the worker is shutting down");
    case ERR_LEASE_LOST:
        return err_set(err, reason, "the lease could not be renewed");
    default:
        return err_set(err, ERR_CANCELLED, "cancelled on request");
    }
}
