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
    FIELD(task_view, attempt, .flags = FIELD_ALWAYS, .text = "Runs that failed, and one."),
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
    FIELD(job_view, result, .text = "What came of it: the result of its last task."),
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

static const struct field scene_view[] = {
    FIELD(scene_view, mongo_db_id, .flags = FIELD_REQUIRED, .text = "The record's ObjectId."),
    FIELD(scene_view, project_id, .flags = FIELD_REQUIRED, .text = "The user's project."),
    FIELD(scene_view, scene_id, .text = "The user's own name of the scene."),
    FIELD(scene_view, user_id, .text = "The user's own name of whose it is."),
    FIELD(scene_view, url, .text = "Where the media came from."),
    FIELD(scene_view, status, .flags = FIELD_REQUIRED, .names = scene_status_names,
          .text = "Where it stands."),
    FIELD(scene_view, storage, .names = storage_names,
          .text = "stored, or local_only when no bucket is used."),
    FIELD(scene_view, storage_key, .text = "Object key of the source file."),
    FIELD(scene_view, playlist_key, .text = "Object key of the master playlist."),
    FIELD(scene_view, playlist_url, .text = "What a player opens: signed, for a limited time."),
    FIELD_DOC(scene_view, thumbnails, thumbnail_keys, .text = "Signed URLs of the pictures."),
    FIELD(scene_view, duration_s, .text = "Length in seconds."),
    FIELD(scene_view, width, .text = "Of the source, as displayed."),
    FIELD(scene_view, height, .text = "Of the source, as displayed."),
    FIELD(scene_view, error_message, .text = "Why it failed."),
    FIELD(scene_view, job, .text = "The job that wrote it last."),
    FIELD(scene_view, metadata, .text = "As it was sent."),
    FIELD(scene_view, created_at, .flags = FIELD_TIME, .text = "When it was first asked for."),
    FIELD(scene_view, updated_at, .flags = FIELD_TIME, .text = "When it changed last."),
};
const struct doc scene_view_doc = DOC(scene_view, scene_view);

static const struct field queue_view[] = {
    FIELD(queue_view, kind, .flags = FIELD_REQUIRED, .names = kind_names,
          .text = "The kind of task."),
    FIELD(queue_view, queue, .flags = FIELD_REQUIRED, .text = "The queue's name in the broker."),
    FIELD(queue_view, known, .flags = FIELD_ALWAYS, .text = "Whether the broker answered."),
    FIELD(queue_view, ready, .flags = FIELD_ALWAYS, .text = "Tickets that wait for a worker."),
    FIELD(queue_view, consumers, .flags = FIELD_ALWAYS, .text = "Workers that take from it."),
    FIELD(queue_view, oldest_ms, .text = "For how long the oldest due task has waited."),
};
const struct doc queue_view_doc = DOC(queue_view, queue_view);

static const struct field queue_page[] = {
    FIELD_DOCS(queue_page, queues, queue_view, .flags = FIELD_ALWAYS, .text = "One row a kind."),
};
const struct doc queue_page_doc = DOC(queue_page, queue_page);

static const char *const worker_state_names[] = {NULL, "online", "draining", "offline", NULL};

static const struct field worker_view[] = {
    FIELD(worker_view, id, .flags = FIELD_REQUIRED, .text = "host.kind.pid.start."),
    FIELD(worker_view, host, .text = "Host name."),
    FIELD(worker_view, kind, .names = kind_names, .text = "The kind of task it does."),
    FIELD(worker_view, state, .names = worker_state_names, .text = "offline: no beat for 20 s."),
    FIELD(worker_view, pid, .text = "Process id."),
    FIELD(worker_view, started_at, .flags = FIELD_TIME, .text = "When it started."),
    FIELD(worker_view, beat_at, .flags = FIELD_TIME, .text = "Its last beat."),
    FIELD(worker_view, slots, .flags = FIELD_ALWAYS, .text = "Tasks it can run at once."),
    FIELD(worker_view, busy, .flags = FIELD_ALWAYS, .text = "Tasks it runs."),
    FIELD(worker_view, active, .text = "Which, as job/task; 16 at most."),
    FIELD(worker_view, claimed, .flags = FIELD_ALWAYS, .text = "Runs claimed since it started."),
    FIELD(worker_view, succeeded, .flags = FIELD_ALWAYS, .text = "Runs that succeeded."),
    FIELD(worker_view, failed, .flags = FIELD_ALWAYS, .text = "Runs that failed for good."),
    FIELD(worker_view, retried, .flags = FIELD_ALWAYS,
          .text = "Runs that failed and are tried again."),
    FIELD(worker_view, released, .flags = FIELD_ALWAYS, .text = "Runs handed back."),
    FIELD(worker_view, crashes_seen, .flags = FIELD_ALWAYS,
          .text = "Tasks taken over from dead workers."),
    FIELD(worker_view, rss_bytes, .text = "Resident memory."),
    FIELD(worker_view, cpu_ms, .text = "CPU time."),
    FIELD(worker_view, disk_free_bytes, .text = "Free space of its workspace."),
    FIELD(worker_view, version, .text = "Of the program."),
};
const struct doc worker_view_doc = DOC(worker_view, worker_view);

static const struct field worker_page[] = {
    FIELD_DOCS(worker_page, workers, worker_view, .flags = FIELD_ALWAYS,
               .text = "One row a process."),
};
const struct doc worker_page_doc = DOC(worker_page, worker_page);

static const struct field service_check[] = {
    FIELD(service_check, ok, .flags = FIELD_ALWAYS, .text = "Whether it answers."),
    FIELD(service_check, why, .text = "Why not."),
};
const struct doc service_check_doc = DOC(service_check, service_check);

static const struct field readiness[] = {
    FIELD(readiness, ready, .flags = FIELD_ALWAYS, .text = "Whether jobs can be accepted."),
    FIELD_DOC(readiness, broker, service_check, .text = "RabbitMQ; jobs are accepted without it."),
    FIELD_DOC(readiness, store, service_check, .text = "MongoDB."),
    FIELD_DOC(readiness, bucket, service_check, .text = "Where media is kept."),
    FIELD_DOC(readiness, disk, service_check, .text = "Room in the workspace."),
};
const struct doc readiness_doc = DOC(readiness, readiness);

static const struct field health[] = {
    FIELD(health, status, .flags = FIELD_REQUIRED, .text = "\"ok\"."),
    FIELD(health, version, .flags = FIELD_REQUIRED, .text = "Of this program."),
};
const struct doc health_doc = DOC(health, health);
