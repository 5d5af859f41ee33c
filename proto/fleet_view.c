/* The tables of workers, queues and health. */
#include "proto/fleet_view.h"

static const struct field queue_view[] = {
    FIELD(queue_view, kind, .flags = FIELD_REQUIRED, .names = kind_names,
          .text = "The kind of task."),
    FIELD(queue_view, queue, .flags = FIELD_REQUIRED, .text = "The queue's name in the broker."),
    FIELD(queue_view, known, .flags = FIELD_ALWAYS, .text = "Whether the broker answered."),
    FIELD(queue_view, ready, .flags = FIELD_ALWAYS, .text = "Tickets that wait for a worker."),
    FIELD(queue_view, unacked, .flags = FIELD_ALWAYS,
          .text = "Tickets that workers hold, as they last said (5 s)."),
    FIELD(queue_view, consumers, .flags = FIELD_ALWAYS, .text = "Workers that take from it."),
    FIELD(queue_view, oldest_ms, .flags = FIELD_ALWAYS, .text = "For how long the oldest due task has waited."),
};
const struct doc queue_view_doc = DOC(queue_view, queue_view);

static const struct field queue_page[] = {
    FIELD_DOCS(queue_page, queues, queue_view, .flags = FIELD_ALWAYS, .text = "One row a kind."),
};
const struct doc queue_page_doc = DOC(queue_page, queue_page);

static const char *const worker_state_names[] = {NULL, "online", "draining", "offline", "paused", NULL};

static const struct field worker_view[] = {
    FIELD(worker_view, id, .flags = FIELD_REQUIRED, .text = "host.kind.pid.start."),
    FIELD(worker_view, host, .text = "Host name."),
    FIELD(worker_view, kind, .names = kind_names, .text = "The kind of task it does."),
    FIELD(worker_view, state, .names = worker_state_names, .text = "offline: no beat for 20 s; paused: begins no task."),
    FIELD(worker_view, paused, .names = error_names,
          .text = "Why: disk-full, storage-auth, storage-bucket."),
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
