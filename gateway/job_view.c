/* From the stored job to the one that is shown. */
#include "gateway/job_view.h"

#include <inttypes.h>
#include <string.h>

#include "proto/transition.h"

enum { PHASE_MAX = 256 };

static struct task_view view_task(const struct task *task)
{
    /* The one that runs or would run next; of a failed task the one that failed. */
    int64_t attempt = task->failures + (task->state == TASK_FAILED && task->failures ? 0 : 1);
    return (struct task_view){
        .name = task->name,
        .kind = task->kind,
        .state = task->state,
        .attempt = attempt < task->max_attempts ? attempt : task->max_attempts,
        .max_attempts = task->max_attempts,
        .percent = task->state == TASK_SUCCEEDED ? 100 : task->percent,
        .message = task->message,
        .started_at = task->started_at,
        .finished_at = task->finished_at,
        .worker = task->worker,
        .error = task->error,
    };
}

static struct task_views view_tasks(const struct job *job, struct arena *arena)
{
    struct task_views views = {
        .at = arena_alloc_array(arena, job->tasks.len, sizeof *views.at),
        .len = job->tasks.len,
    };
    for (size_t i = 0; i < views.len; i++)
        views.at[i] = view_task(&job->tasks.at[i]);
    return views;
}

/* Of the first task that runs and says something. */
static const char *message_of(const struct job *job)
{
    for (size_t i = 0; i < job->tasks.len; i++)
        if (job->tasks.at[i].state == TASK_RUNNING && job->tasks.at[i].message)
            return job->tasks.at[i].message;
    return NULL;
}

static struct job_fault fault_of(const struct job *job)
{
    const struct task *culprit = job_culprit(job);
    struct task_error error = job_error(job);
    return (struct job_fault){error.code, error.detail, culprit ? culprit->name : NULL};
}

void job_view_fill(const struct job *job, bool whole, struct arena *arena, struct job_view *out)
{
    char *phase = arena_alloc(arena, PHASE_MAX);
    *out = (struct job_view){
        .id = job->id,
        .recipe = job->recipe,
        .state = job->state,
        .phase = job_phase(job, phase, PHASE_MAX),
        .percent = job_percent(job),
        .message = message_of(job),
        .project_id = job->project_id,
        .mongo_db_id = job->scene,
        .error = fault_of(job),
        .created_at = job->created_at,
        .run_at = job->run_at,
        .started_at = job->started_at,
        .finished_at = job->finished_at,
        .expires_at = job->expires_at,
        .retry_of = job->retry_of,
    };
    if (!whole)
        return;
    out->tasks = view_tasks(job, arena);
    out->log = job->log;
    /* What a simple job had done before it failed counts, too; others' results are undone. */
    bool told = job->state == JOB_SUCCEEDED || (job->simple && job_terminal(job));
    if (told && job->tasks.len > 0)
        out->result = job->tasks.at[job->tasks.len - 1].result;
}

/* FNV-1a. */
static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001B3);
    return hash;
}

const char *job_view_etag(const struct job *job, struct arena *arena)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < job->tasks.len; i++) {
        const struct task *task = &job->tasks.at[i];
        hash = mix(hash, &task->percent, sizeof task->percent);
        if (task->message)
            hash = mix(hash, task->message, strlen(task->message) + 1);
    }
    return arena_printf(arena, "\"%" PRId64 "-%016" PRIx64 "\"", job->rev, hash);
}

bool job_view_etag_matches(const char *if_none_match, const char *etag)
{
    size_t len = strlen(etag);
    for (const char *at = if_none_match; at && *at; at += strcspn(at, ",")) {
        at += strspn(at, ", \t");
        if (strcmp(at, "*") == 0)
            return true;
        if (strncmp(at, "W/", 2) == 0)
            at += 2;
        if (strncmp(at, etag, len) == 0 && strchr(", \t", at[len]))
            return true;
    }
    return false;
}
