/* What a job tells without being changed: questions about its tasks, percent, phase, alarm. */
#include "proto/transition.h"

#include <stdio.h>
#include <string.h>

bool task_ended(const struct task *task)
{
    return task->state >= TASK_SUCCEEDED;
}

struct task *job_task(const struct job *job, const char *name)
{
    for (size_t i = 0; i < job->tasks.len; i++)
        if (strcmp(job->tasks.at[i].name, name) == 0)
            return &job->tasks.at[i];
    return NULL;
}

bool job_terminal(const struct job *job)
{
    return job->state >= JOB_SUCCEEDED;
}

bool job_finishing(const struct job *job)
{
    for (size_t i = 0; i < job->tasks.len; i++)
        if (!task_ended(&job->tasks.at[i]))
            return false;
    return !job_terminal(job);
}

bool job_due(const struct job *job, size_t i, int64_t now)
{
    const struct task *task = &job->tasks.at[i];
    return task->state == TASK_QUEUED && task->due_at <= now && !job_terminal(job);
}

enum job_state job_outcome(const struct job *job)
{
    if (!job->stop.code)
        return JOB_SUCCEEDED;
    bool asked = job->stop.code == ERR_CANCELLED || job->stop.code == ERR_PROJECT_DELETED;
    return asked ? JOB_CANCELLED : JOB_FAILED;
}

const struct task *job_culprit(const struct job *job)
{
    const struct task *task = job->stop.code && job->stop.by ? job_task(job, job->stop.by) : NULL;
    return task && task->state == TASK_FAILED && task->error.code == job->stop.code ? task : NULL;
}

struct task_error job_error(const struct job *job)
{
    const struct task *culprit = job_culprit(job);
    if (culprit)
        return culprit->error;
    switch (job->stop.code) {
    case ERR_NONE:
        return (struct task_error){ERR_NONE, NULL};
    case ERR_CANCELLED:
        return (struct task_error){ERR_CANCELLED, "cancelled on request"};
    case ERR_PROJECT_DELETED:
        return (struct task_error){ERR_PROJECT_DELETED, "its project was deleted"};
    case ERR_DEADLINE_EXCEEDED:
        return (struct task_error){ERR_DEADLINE_EXCEEDED, "it did not end within 3 days"};
    default:
        return (struct task_error){job->stop.code, NULL};
    }
}

int64_t job_percent(const struct job *job)
{
    if (job_terminal(job))
        return 100;
    int64_t sum = 0, weights = 0;
    for (size_t i = 0; i < job->tasks.len; i++) {
        sum += job->tasks.at[i].weight * job->tasks.at[i].percent;
        weights += job->tasks.at[i].weight;
    }
    int64_t percent = weights > 0 ? sum / weights : 0;
    return percent > 99 ? 99 : percent;
}

static int64_t pause_ms(const struct job *job)
{
    int64_t pause = JOB_PUBLISH_MS;
    for (int64_t n = 1; n < job->nudges && pause < JOB_PUBLISH_MAX_MS; n++)
        pause *= 2;
    return pause < JOB_PUBLISH_MAX_MS ? pause : JOB_PUBLISH_MAX_MS;
}

/* When somebody must look at this task, 0 if never. */
static int64_t task_alarm(const struct job *job, const struct task *task, int64_t now)
{
    switch (task->state) {
    case TASK_QUEUED:
        return task->due_at > now ? task->due_at : now + pause_ms(job);
    case TASK_RUNNING:
        return task->lease_until;
    case TASK_WAITING:
        return task->due_at;
    default:
        return 0;
    }
}

int64_t job_alarm(const struct job *job, int64_t now)
{
    if (job_terminal(job))
        return 0;
    if (job_finishing(job))
        return now + pause_ms(job);
    int64_t from = job->run_at > job->created_at ? job->run_at : job->created_at;
    int64_t alarm = job->stop.code ? INT64_MAX : from + JOB_DEADLINE_MS;
    for (size_t i = 0; i < job->tasks.len; i++) {
        int64_t at = task_alarm(job, &job->tasks.at[i], now);
        if (at && at < alarm)
            alarm = at;
    }
    return alarm;
}

static void join_running(const struct job *job, char *out, size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < job->tasks.len && len < size; i++) {
        const struct task *task = &job->tasks.at[i];
        if (task->state == TASK_RUNNING)
            len += (size_t)snprintf(out + len, size - len, "%s%s", len ? "+" : "", task->name);
    }
}

const char *job_phase(const struct job *job, char *out, size_t size)
{
    if (job_terminal(job))
        return "done";
    if (job_finishing(job))
        return "finishing";
    join_running(job, out, size);
    if (out[0])
        return out;
    for (size_t i = 0; i < job->tasks.len; i++)
        if (job->tasks.at[i].state == TASK_QUEUED && job->tasks.at[i].failures > 0)
            return "retrying";
    return "queued";
}
