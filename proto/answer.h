/* What the gateway answers with about jobs, and the problem document. */
#ifndef PROTO_ANSWER_H
#define PROTO_ANSWER_H

#include "proto/job.h"

/* RFC 9457. */
struct problem_error {
    const char *pointer;
    enum error code;
};
struct problem {
    const char *type, *title;
    int64_t status;
    const char *detail;
    enum error code;
    const char *request_id, *instance;
    struct {
        struct problem_error *at;
        size_t len;
    } errors;
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
struct job_view { /* lists leave tasks, result and log out */
    const char *id, *recipe;
    enum job_state state;
    const char *phase;
    int64_t percent;
    const char *message, *project_id, *mongo_db_id;
    struct task_views tasks;
    struct raw result; /* of the last task, once the job has succeeded */
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
struct job_search { /* GET /api/v1/jobs?… */
    enum job_state state;
    const char *project_id, *recipe;
    int64_t limit;
    const char *cursor;
};

extern const struct doc problem_doc, problem_error_doc, accepted_doc, task_view_doc, job_fault_doc, job_view_doc,
    job_page_doc, job_search_doc;

#endif
