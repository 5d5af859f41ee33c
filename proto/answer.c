/* The tables of the gateway's answers. */
#include "proto/answer.h"

#include "proto/file_path.h"

static const struct field problem_error[] = {
    FIELD(problem_error, pointer, .text = "JSON pointer of the field at fault."),
    FIELD(problem_error, code, .names = error_names, .text = "What is wrong with it."),
};
const struct doc problem_error_doc = DOC(problem_error, problem_error);

static const struct field problem[] = {
    FIELD(problem, type, .flags = FIELD_REQUIRED, .text = "/problems/<code>."),
    FIELD(problem, title, .flags = FIELD_REQUIRED, .text = "The status in words."),
    FIELD(problem, status, .flags = FIELD_REQUIRED, .text = "The HTTP status."),
    FIELD(problem, detail, .text = "What went wrong, for people."),
    FIELD(problem, code, .flags = FIELD_REQUIRED, .names = error_names,
          .text = "Stable, for programs."),
    FIELD(problem, request_id, .text = "To be found in the logs."),
    FIELD(problem, instance, .text = "The path that was asked for."),
    FIELD_DOCS(problem, errors, problem_error, .text = "The fields at fault."),
};
const struct doc problem_doc = DOC(problem, problem);

static const struct field accepted[] = {
    FIELD(accepted, task_id, .flags = FIELD_REQUIRED, .text = "The job's id, a ULID."),
    FIELD(accepted, mongo_db_id, .text = "The record that the job writes, an ObjectId."),
    FIELD(accepted, status_url, .flags = FIELD_REQUIRED, .text = "Where its progress is told."),
    FIELD(accepted, queued, .flags = FIELD_ALWAYS,
          .text = "Whether the broker confirmed the ticket already; the job runs either way."),
};
const struct doc accepted_doc = DOC(accepted, accepted);

static const struct field task_view[] = {
    FIELD(task_view, name, .flags = FIELD_REQUIRED, .text = "Unique within the job."),
    FIELD(task_view, kind, .flags = FIELD_REQUIRED, .names = kind_names,
          .text = "What kind of worker runs it."),
    FIELD(task_view, state, .flags = FIELD_REQUIRED, .names = task_state_names,
          .text = "Where it stands."),
    FIELD(task_view, attempt, .flags = FIELD_ALWAYS, .text = "Which attempt runs, is next, or failed."),
    FIELD(task_view, max_attempts, .flags = FIELD_ALWAYS, .text = "How many runs it has at most."),
    FIELD(task_view, percent, .flags = FIELD_ALWAYS, .text = "0 to 100, never falls."),
    FIELD(task_view, message, .text = "What it does, for people."),
    FIELD(task_view, started_at, .flags = FIELD_TIME, .text = "When its first run began."),
    FIELD(task_view, finished_at, .flags = FIELD_TIME, .text = "When it ended."),
    FIELD(task_view, worker, .text = "Who runs or ran it: host.kind.pid.start."),
    FIELD_DOC(task_view, error, task_error, .text = "Why its last run failed."),
};
const struct doc task_view_doc = DOC(task_view, task_view);

static const struct field job_fault[] = {
    FIELD(job_fault, code, .flags = FIELD_REQUIRED, .names = error_names,
          .text = "Stable, for programs."),
    FIELD(job_fault, detail, .text = "For people."),
    FIELD(job_fault, task, .text = "The task that failed."),
};
const struct doc job_fault_doc = DOC(job_fault, job_fault);

static const struct field job_view[] = {
    FIELD(job_view, id, .flags = FIELD_REQUIRED, .text = "A ULID."),
    FIELD(job_view, recipe, .flags = FIELD_REQUIRED,
          .text = "What was asked for: media.store, hello …"),
    FIELD(job_view, state, .flags = FIELD_REQUIRED, .names = job_state_names,
          .text = "succeeded, failed and cancelled never change again."),
    FIELD(job_view, phase, .flags = FIELD_REQUIRED,
          .text = "queued, retrying, the running tasks joined by '+', finishing or done."),
    FIELD(job_view, percent, .flags = FIELD_ALWAYS,
          .text = "Exactly 100 when the job has ended, else at most 99."),
    FIELD(job_view, message, .text = "What it does just now, for people."),
    FIELD(job_view, project_id, .text = "The user's project."),
    FIELD(job_view, mongo_db_id, .text = "The record that the job writes, an ObjectId."),
    FIELD_DOCS(job_view, tasks, task_view, .text = "Its units of work."),
    FIELD(job_view, result, .max = 1 << 20, .text = "What came of it: the result of its last task."),
    FIELD_DOC(job_view, error, job_fault, .text = "Why it failed."),
    FIELD_DOCS(job_view, log, log_line, .text = "What happened, the oldest first."),
    FIELD(job_view, created_at, .flags = FIELD_TIME, .text = "When it was accepted."),
    FIELD(job_view, run_at, .flags = FIELD_TIME, .text = "Not to be started before."),
    FIELD(job_view, started_at, .flags = FIELD_TIME, .text = "When its first task began."),
    FIELD(job_view, finished_at, .flags = FIELD_TIME, .text = "When it ended."),
    FIELD(job_view, expires_at, .flags = FIELD_TIME, .text = "When this record is removed."),
    FIELD(job_view, retry_of, .text = "The job that it repeats."),
};
const struct doc job_view_doc = DOC(job_view, job_view);

static const struct field job_page[] = {
    FIELD_DOCS(job_page, jobs, job_view, .flags = FIELD_ALWAYS, .text = "The newest first."),
    FIELD(job_page, next, .text = "The cursor of the next page; absent on the last one."),
};
const struct doc job_page_doc = DOC(job_page, job_page);

static const struct field job_search[] = {
    FIELD(job_search, state, .names = job_state_names, .text = "Only jobs in that state."),
    FIELD(job_search, project_id, .max = IDENT_MAX, .check = ident_check,
          .text = "Only jobs of that project."),
    FIELD(job_search, recipe, .max = 64, .text = "Only jobs of that recipe."),
    FIELD(job_search, limit, .min = 1, .max = 1000, .text = "How many at most; 50 if not given."),
    FIELD(job_search, cursor, .max = 64, .text = "`next` of the page before."),
};
const struct doc job_search_doc = DOC(job_search, job_search);
