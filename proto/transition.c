/* The transitions of a job: job in, job out, nothing else. */
#include "proto/transition.h"

#include <string.h>

static void note(struct job *job, int64_t now, const char *event, const struct task *task)
{
    job->event = (struct log_line){.at = now, .event = event};
    if (!task)
        return;
    job->event.task = task->name;
    job->event.run = task->run;
    job->event.by = task->worker;
    job->event.code = task->error.code;
    job->event.detail = task->error.detail;
}

static void end_task(struct task *task, enum task_state state, struct task_error error, int64_t now)
{
    task->state = state;
    task->error = error;
    task->percent = 100;
    task->finished_at = now;
    task->due_at = 0;
    task->lease_until = 0;
}

static void queue_task(struct task *task, int64_t due_at)
{
    task->state = TASK_QUEUED;
    task->due_at = due_at;
    task->lease_until = 0;
}

static void skip_optional_needs(struct job *job, const struct task *task, int64_t now)
{
    for (size_t n = 0; n < task->needs.len; n++) {
        struct task *need = job_task(job, task->needs.at[n]);
        if (need && !task_ended(need))
            end_task(need, TASK_CANCELLED,
                     (struct task_error){ERR_SKIPPED, "did not end in time to be waited for"}, now);
    }
}

/* Queues a waiting task whose needs have ended; true if it did. */
static bool advance_task(struct job *job, struct task *task, int64_t now)
{
    bool optional_runs = false;
    for (size_t n = 0; n < task->needs.len; n++) {
        const struct task *need = job_task(job, task->needs.at[n]);
        if (!need || task_ended(need))
            continue;
        if (!need->optional)
            return false;
        optional_runs = true;
    }
    if (optional_runs && !task->due_at)
        task->due_at = now + JOB_OPTIONAL_MS;
    if (optional_runs && task->due_at > now)
        return false;
    if (optional_runs)
        skip_optional_needs(job, task, now);
    queue_task(task, job->run_at > now ? job->run_at : now);
    return true;
}

/* What follows from a changed task, until nothing follows any more. */
static void advance(struct job *job, int64_t now)
{
    static const struct task_error none;
    bool again = true;
    while (again) {
        again = false;
        for (size_t i = 0; i < job->tasks.len; i++) {
            struct task *task = &job->tasks.at[i];
            if (job->stop.code && (task->state == TASK_WAITING || task->state == TASK_QUEUED))
                end_task(task, TASK_CANCELLED, task->failures ? task->error : none, now);
            else if (task->state == TASK_WAITING && advance_task(job, task, now))
                again = true;
        }
    }
}

static void become_terminal(struct job *job, int64_t now)
{
    job->state = job_outcome(job);
    job->finished_at = now;
    job->expires_at = now + JOB_KEEP_MS;
}

/* The end of every transition. */
static void conclude(struct job *job, int64_t now)
{
    advance(job, now);
    if (job->simple && job_finishing(job))
        become_terminal(job, now);
    job->nudges = 0;
    job->alarm_at = job_alarm(job, now);
}

static void fail_task(struct job *job, struct task *task, struct task_error error, int64_t now)
{
    end_task(task, TASK_FAILED, error, now);
    if (!task->optional && !job->stop.code)
        job->stop = (struct stop){error.code, task->name, now};
}

void job_start(struct job *job, int64_t now)
{
    job->v = JOB_VERSION;
    job->state = JOB_QUEUED;
    job->created_at = now;
    note(job, now, "submitted", NULL);
    job->event.by = job->owner;
    conclude(job, now);
}

bool job_claim(struct job *job, size_t i, const char *worker, int64_t now, int64_t lease_ms)
{
    struct task *task = i < job->tasks.len ? &job->tasks.at[i] : NULL;
    if (!task || task->state != TASK_QUEUED || task->due_at > now + JOB_SKEW_MS)
        return false;
    task->state = TASK_RUNNING;
    task->worker = worker;
    task->lease_until = now + lease_ms;
    task->run++;
    if (!task->started_at)
        task->started_at = now;
    if (!job->started_at)
        job->started_at = now;
    job->state = JOB_RUNNING;
    if (job->alarm_at > task->lease_until)
        job->alarm_at = task->lease_until;
    note(job, now, "claimed", task);
    return true;
}

static struct task *running(struct job *job, size_t i)
{
    bool is = i < job->tasks.len && job->tasks.at[i].state == TASK_RUNNING;
    return is ? &job->tasks.at[i] : NULL;
}

static int64_t retry_delay(const struct task *task, const struct outcome *outcome)
{
    int64_t backoff = kind_backoff_ms(task->failures);
    backoff += backoff * outcome->jitter_pm / 1000;
    return outcome->retry_after_ms > backoff ? outcome->retry_after_ms : backoff;
}

/* A name may be too young to be known everywhere; one that is not known twice does not exist. */
static int64_t attempts(const struct task *task, enum error code)
{
    const int64_t most = 2;
    return code == ERR_SOURCE_UNKNOWN_HOST && most < task->max_attempts ? most : task->max_attempts;
}

static const char *settle_error(struct job *job, struct task *task, const struct outcome *outcome,
                                int64_t now)
{
    enum error_class class = error_class(outcome->error.code);
    if (job->stop.code || outcome->error.code == ERR_CANCELLED) {
        end_task(task, TASK_CANCELLED, outcome->error, now);
        return "cancelled";
    }
    if (class == CLASS_RELEASED || outcome->release) {
        queue_task(task, now);
        return "released";
    }
    task->failures++;
    if (class == CLASS_TRANSIENT && task->failures < attempts(task, outcome->error.code)) {
        task->error = outcome->error;
        queue_task(task, now + retry_delay(task, outcome));
        return "retrying";
    }
    fail_task(job, task, outcome->error, now);
    return "failed";
}

bool job_settle(struct job *job, size_t i, int64_t run, const struct outcome *outcome, int64_t now)
{
    static const struct task_error none;
    struct task *task = running(job, i);
    if (!task || task->run != run)
        return false;
    task->usage.cpu_ms += outcome->usage.cpu_ms;
    task->usage.bytes_in += outcome->usage.bytes_in;
    task->usage.bytes_out += outcome->usage.bytes_out;
    if (outcome->message)
        task->message = outcome->message;
    const char *event = "succeeded";
    if (outcome->error.code) {
        event = settle_error(job, task, outcome, now);
    } else {
        task->result = outcome->result;
        end_task(task, TASK_SUCCEEDED, none, now);
    }
    note(job, now, event, task);
    job->event.code = outcome->error.code;
    job->event.detail = outcome->error.detail;
    conclude(job, now);
    return true;
}

/* No line in the log: there may be thousands of them. Nor does it move the alarm, which is the
 * lease's. */
bool job_checkpoint(struct job *job, size_t i, int64_t run, struct raw result)
{
    struct task *task = running(job, i);
    if (!task || task->run != run)
        return false;
    task->result = result;
    job->event = (struct log_line){0};
    return true;
}

/* A run that ended without a word: once too often fails the task, else it is queued again. */
static void crash(struct job *job, struct task *task, int64_t now)
{
    task->crashes++;
    if (task->crashes >= JOB_CRASHES_MAX)
        fail_task(
            job, task,
            (struct task_error){ERR_WORKER_CRASH, "the worker died while it ran, three times"},
            now);
    else
        queue_task(task, now);
    note(job, now, "crashed", task);
}

bool job_take_over(struct job *job, size_t i, const char *worker, int64_t now, int64_t lease_ms)
{
    struct task *task = running(job, i);
    if (!task)
        return false;
    crash(job, task, now);
    struct log_line crashed = job->event;
    conclude(job, now);
    if (worker && job_claim(job, i, worker, now, lease_ms))
        crashed.event = "taken-over";
    job->event = crashed;
    return true;
}

static bool past_deadline(const struct job *job, int64_t now)
{
    int64_t from = job->run_at > job->created_at ? job->run_at : job->created_at;
    return !job->stop.code && !job_finishing(job) && from + JOB_DEADLINE_MS <= now;
}

bool job_expire(struct job *job, int64_t now)
{
    bool changed = false;
    if (job_terminal(job))
        return false;
    for (size_t i = 0; i < job->tasks.len; i++) {
        struct task *task = &job->tasks.at[i];
        if (task->state == TASK_RUNNING && task->lease_until <= now) {
            crash(job, task, now);
            changed = true;
        } else if (task->state == TASK_WAITING && task->due_at && task->due_at <= now) {
            note(job, now, "skipped", task);
            changed = true;
        }
    }
    if (past_deadline(job, now)) {
        job->stop = (struct stop){ERR_DEADLINE_EXCEEDED, "deadline", now};
        note(job, now, "stopped", NULL);
        job->event.code = ERR_DEADLINE_EXCEEDED;
        changed = true;
    }
    if (changed)
        conclude(job, now);
    return changed;
}

bool job_stop(struct job *job, enum error code, const char *by, int64_t now)
{
    if (job_terminal(job) || job_finishing(job) || job->stop.code)
        return false;
    job->stop = (struct stop){code, by, now};
    note(job, now, "stopped", NULL);
    job->event.by = by;
    job->event.code = code;
    conclude(job, now);
    return true;
}

bool job_finish(struct job *job, int64_t now)
{
    if (!job_finishing(job))
        return false;
    become_terminal(job, now);
    note(job, now, "finished", NULL);
    job->event.code = job->stop.code;
    job->nudges = 0;
    job->alarm_at = 0;
    return true;
}

bool job_spoil(struct job *job, size_t i, struct task_error error, int64_t now)
{
    struct task *task = i < job->tasks.len ? &job->tasks.at[i] : NULL;
    if (!task || !job_finishing(job) || task->state != TASK_SUCCEEDED)
        return false;
    task->result = (struct raw){0};
    task->failures++;
    fail_task(job, task, error, now);
    note(job, now, "failed", task);
    conclude(job, now);
    return true;
}

void job_nudge(struct job *job, int64_t now)
{
    bool runs = false;
    for (size_t i = 0; i < job->tasks.len; i++)
        runs = runs || job->tasks.at[i].state == TASK_RUNNING;
    /* The alarms of a running task's leases say nothing about how late another one's ticket is. */
    job->nudges += !runs;
    job->event = (struct log_line){0};
    job->alarm_at = job_alarm(job, now);
}
