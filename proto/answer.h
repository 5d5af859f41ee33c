/* What the gateway answers with: views of jobs, scenes, queues, and the problem document. */
#ifndef PROTO_ANSWER_H
#define PROTO_ANSWER_H

#include "proto/job.h"
#include "proto/scene.h"

/* RFC 9457. */
struct problem_error {
    const char *pointer;
    enum error code;
};
struct problem_errors {
    struct problem_error *at;
    size_t len;
};
struct problem {
    const char *type, *title;
    int64_t status;
    const char *detail;
    enum error code;
    const char *request_id, *instance;
    struct problem_errors errors;
};

/* 202: the job is durable; queued tells whether the broker confirmed its ticket already. */
struct accepted {
    const char *task_id, *mongo_db_id, *status_url;
    bool queued;
};

struct task_view {
    const char *name;
    enum kind kind;
    enum task_state state;
    int64_t attempt; /* failures + 1, at most max_attempts */
    int64_t max_attempts, percent;
    const char *message;
    int64_t started_at, finished_at;
    const char *worker;
    struct task_error error;
};
struct task_views {
    struct task_view *at;
    size_t len;
};
struct job_fault {
    enum error code;
    const char *detail, *task;
};
/* Lists leave tasks, result and log out. */
struct job_view {
    const char *id, *recipe;
    enum job_state state;
    const char *phase;
    int64_t percent;
    const char *message, *project_id, *mongo_db_id;
    struct task_views tasks;
    struct raw result; /* of the last task of the recipe, once the job has succeeded */
    struct job_fault error;
    struct log_lines log;
    int64_t created_at, run_at, started_at, finished_at, expires_at;
    const char *retry_of;
};
struct job_views {
    struct job_view *at;
    size_t len;
};
struct job_page {
    struct job_views jobs;
    const char *next;
};
/* GET /api/v1/jobs?… */
struct job_search {
    enum job_state state;
    const char *project_id, *recipe;
    int64_t limit;
    const char *cursor;
};

struct scene_view {
    const char *mongo_db_id, *project_id, *scene_id, *user_id, *url;
    enum scene_status status;
    enum storage storage;
    const char *storage_key, *playlist_key, *playlist_url;
    struct thumbnail_keys thumbnails; /* URLs */
    double duration_s;
    int64_t width, height;
    const char *error_message, *job;
    struct raw metadata;
    int64_t created_at, updated_at;
};

struct queue_view {
    enum kind kind;
    const char *queue;
    bool known; /* the broker answered */
    int64_t ready, consumers, oldest_ms;
};
struct queue_views {
    struct queue_view *at;
    size_t len;
};
struct queue_page {
    struct queue_views queues;
};

/* A worker's last beat, judged by its age. */
enum worker_state { WORKER_NONE, WORKER_ONLINE, WORKER_DRAINING, WORKER_OFFLINE };
struct worker_view {
    const char *id, *host;
    enum kind kind;
    enum worker_state state;
    int64_t pid, started_at, beat_at, slots, busy;
    struct strs active;
    int64_t claimed, succeeded, failed, retried, released, crashes_seen;
    int64_t rss_bytes, cpu_ms, disk_free_bytes;
    const char *version;
};
struct worker_views {
    struct worker_view *at;
    size_t len;
};
struct worker_page {
    struct worker_views workers;
};

/* GET /readyz: one row per service. */
struct service_check {
    bool ok;
    const char *why;
};
struct readiness {
    bool ready;
    struct service_check broker, store, bucket, disk;
};
struct health {
    const char *status, *version;
};

extern const struct doc problem_doc, problem_error_doc, accepted_doc, task_view_doc, job_fault_doc, job_view_doc,
    job_page_doc, job_search_doc, scene_view_doc, queue_view_doc, queue_page_doc, service_check_doc, readiness_doc,
    worker_view_doc, worker_page_doc,    health_doc;

#endif
