/* The tables of a job's document. */
#include "proto/job.h"

const char *const task_state_names[] = {NULL,        "waiting", "queued",    "running",
                                        "succeeded", "failed",  "cancelled", NULL};
const char *const job_state_names[] = {NULL, "queued", "running", "succeeded", "failed", "cancelled", NULL};

static const struct field task_error_fields[] = {
    FIELD(task_error, code, .names = error_names, .text = "Stable error code."),
    FIELD(task_error, detail, .text = "What happened, for people."),
};
const struct doc task_error_doc = DOC(task_error, task_error_fields);

static const struct field usage_fields[] = {
    FIELD(usage, cpu_ms, .text = "CPU time of the runs that ended with a word."),
    FIELD(usage, bytes_in, .text = "Bytes read from outside."),
    FIELD(usage, bytes_out, .text = "Bytes written to the bucket."),
};
const struct doc usage_doc = DOC(usage, usage_fields);

static const struct field stop_fields[] = {
    FIELD(stop, code, .names = error_names, .text = "Why nothing more is started."),
    FIELD(stop, by, .text = "Who said so: a caller's name, or the task that failed."),
    FIELD(stop, at, .flags = FIELD_TIME, .text = "When."),
};
const struct doc stop_doc = DOC(stop, stop_fields);

static const struct field log_line_fields[] = {
    FIELD(log_line, rev, .text = "Revision that this change made; absent on claims."),
    FIELD(log_line, at, .flags = FIELD_TIME, .text = "When."),
    FIELD(log_line, event, .text = "What happened: submitted, claimed, succeeded, retrying, failed, …"),
    FIELD(log_line, task, .text = "Name of the task."),
    FIELD(log_line, run, .text = "Its run."),
    FIELD(log_line, by, .text = "Worker or caller."),
    FIELD(log_line, code, .names = error_names, .text = "Error code."),
    FIELD(log_line, detail, .text = "Error detail."),
};
const struct doc log_line_doc = DOC(log_line, log_line_fields);

static const struct field task_fields[] = {
    FIELD(task, name, .flags = FIELD_REQUIRED, .text = "Name, unique in the job."),
    FIELD(task, kind, .flags = FIELD_REQUIRED, .names = kind_names, .text = "What does it."),
    FIELD(task, state, .flags = FIELD_REQUIRED, .names = task_state_names, .text = "State."),
    FIELD(task, needs, .text = "Names of the tasks that must end before."),
    FIELD(task, optional, .text = "Its failure does not fail the job."),
    FIELD(task, weight, .text = "Share of the job's percent."),
    FIELD(task, max_attempts, .text = "Bound on failures."),
    FIELD(task, timeout_s, .text = "Longest run, in seconds from its claim."),
    FIELD(task, run, .text = "How often it was claimed; the fence of its writes."),
    FIELD(task, failures, .text = "Runs that ended with an error."),
    FIELD(task, crashes, .text = "Runs that ended without a word."),
    FIELD(task, percent, .text = "Progress; never falls."),
    FIELD(task, message, .text = "What it is doing, for people."),
    FIELD(task, due_at, .flags = FIELD_TIME, .text = "Queued: not before; waiting: how long for optional tasks."),
    FIELD(task, worker, .text = "Worker that holds it, or held it last."),
    FIELD(task, lease_until, .flags = FIELD_TIME, .text = "Until when it is that worker's."),
    FIELD(task, params, .text = "Parameters, as its kind describes them."),
    FIELD(task, result, .text = "Result, as its kind describes it."),
    FIELD_DOC(task, error, task_error, .text = "Error of the last failed run."),
    FIELD(task, started_at, .flags = FIELD_TIME, .text = "First claim."),
    FIELD(task, finished_at, .flags = FIELD_TIME, .text = "When it ended."),
    FIELD_DOC(task, usage, usage, .text = "What it cost."),
};
const struct doc task_doc = DOC(task, task_fields);

static const struct field job_fields[] = {
    FIELD(job, id, .flags = FIELD_REQUIRED | FIELD_ID, .text = "ULID."),
    FIELD(job, v, .flags = FIELD_REQUIRED, .text = "Version of this document's form."),
    FIELD(job, tenant, .flags = FIELD_REQUIRED, .text = "Whose it is."),
    FIELD(job, owner, .text = "Who asked for it."),
    FIELD(job, recipe, .flags = FIELD_REQUIRED, .text = "Type of the job."),
    FIELD(job, state, .flags = FIELD_REQUIRED, .names = job_state_names, .text = "State."),
    FIELD(job, rev, .flags = FIELD_ALWAYS, .text = "Revision; every transition raises it."),
    FIELD_DOC(job, stop, stop, .text = "Set when nothing more may start."),
    FIELD(job, project_id, .text = "Project."),
    FIELD(job, scene, .flags = FIELD_OID, .text = "The scene that this job writes."),
    FIELD(job, params, .text = "What the client asked for."),
    FIELD_DOCS(job, tasks, task, .max = JOB_TASKS_MAX, .text = "The work."),
    FIELD_DOCS(job, log, log_line, .text = "The last changes, oldest first."),
    FIELD(job, priority, .text = "Higher is earlier."),
    FIELD(job, run_at, .flags = FIELD_TIME, .text = "Not before."),
    FIELD(job, alarm_at, .flags = FIELD_TIME, .text = "When somebody must look again, even without a message."),
    FIELD(job, nudges, .flags = FIELD_HIDDEN, .text = "Alarms since the last change."),
    FIELD(job, created_at, .flags = FIELD_TIME, .text = "When it was accepted."),
    FIELD(job, started_at, .flags = FIELD_TIME, .text = "First claim of a task."),
    FIELD(job, finished_at, .flags = FIELD_TIME, .text = "When it became terminal."),
    FIELD(job, expires_at, .flags = FIELD_TIME, .text = "When its record goes."),
    FIELD(job, retry_of, .text = "The job that this one repeats."),
    FIELD(job, parent, .text = "The job that made this one."),
    FIELD(job, simple, .flags = FIELD_HIDDEN, .text = "No finish duties: the last settle is terminal."),
};
const struct doc job_doc = DOC(job, job_fields);
