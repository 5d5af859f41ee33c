/* A job and its tasks: the document, and every transition as a pure function over it.
 *
 * No function here does I/O, reads a clock or allocates: `now` is passed in (ms since 1970, common/clock), strings
 * put into the job are the caller's and must live as long as the job does. Every transition that changes something
 * fills job->event (the line for the job's log) and recomputes job->alarm_at; the store saves the difference to the
 * job as it was read, conditional on `rev` (store_swap). A transition that does not apply returns false and leaves
 * the job untouched: the caller's knowledge was old. */
#ifndef PROTO_JOB_H
#define PROTO_JOB_H

#include "proto/doc.h"
#include "proto/error.h"
#include "proto/kind.h"

enum { JOB_TASKS_MAX = 128, JOB_LOG_MAX = 64, JOB_CRASHES_MAX = 3, JOB_VERSION = 1 };
/* A task that has crashed so often runs beside nobody: its last chance is its own. */
enum { JOB_CRASHES_ALONE = JOB_CRASHES_MAX - 1 };

/* Times of the machinery, in ms. LEASE is the default of MEDIAFLEET_LEASE_S. */
#define JOB_LEASE_MS INT64_C(30000)
#define JOB_PUBLISH_MS INT64_C(10000)          /* a ticket not claimed by then is looked at again; doubles to … */
#define JOB_PUBLISH_MAX_MS INT64_C(600000)     /* … this */
#define JOB_SKEW_MS INT64_C(1000)              /* hosts' clocks differ: a ticket may be this much too early */
#define JOB_CLOCK_MS INT64_C(10000)            /* how often workers ask the store for its time */
#define JOB_OPTIONAL_MS INT64_C(60000)         /* how long an optional task is waited for */
#define JOB_DEADLINE_MS (INT64_C(3) * 86400000) /* of the whole job */
#define JOB_KEEP_MS (INT64_C(3) * 86400000)    /* a finished job's record */

enum task_state { TASK_NONE, TASK_WAITING, TASK_QUEUED, TASK_RUNNING, TASK_SUCCEEDED, TASK_FAILED, TASK_CANCELLED };
enum job_state { JOB_NONE, JOB_QUEUED, JOB_RUNNING, JOB_SUCCEEDED, JOB_FAILED, JOB_CANCELLED };
extern const char *const task_state_names[], *const job_state_names[];

struct task_error {
    enum error code;
    const char *detail;
};
struct usage {
    int64_t cpu_ms, bytes_in, bytes_out;
};
struct task {
    const char *name;
    enum kind kind;
    enum task_state state;
    struct strs needs; /* names of tasks of this job */
    bool optional;
    int64_t weight, max_attempts, timeout_s;
    int64_t run, failures, crashes, percent;
    const char *message;
    int64_t due_at; /* queued: not before; waiting: until when optional needs are waited for */
    const char *worker;
    int64_t lease_until;
    struct raw params, result;
    struct task_error error;
    int64_t started_at, finished_at;
    struct usage usage;
};
struct tasks {
    struct task *at;
    size_t len;
};
struct stop {
    enum error code;
    const char *by;
    int64_t at;
};
struct log_line {
    int64_t rev, at; /* no rev on claims, which do not know it */
    const char *event, *task;
    int64_t run;
    const char *by;
    enum error code;
    const char *detail;
};
struct log_lines {
    struct log_line *at;
    size_t len;
};
struct job {
    const char *id; /* a ULID */
    int64_t v;
    const char *tenant, *owner, *recipe;
    enum job_state state;
    int64_t rev;
    struct stop stop;
    const char *project_id, *scene; /* scene: the ObjectId (hex) of the record this job writes, or NULL */
    struct raw params;
    struct tasks tasks;
    struct log_lines log;
    int64_t priority, run_at, alarm_at, nudges; /* nudges: alarms since the last change, doubles the pause */
    int64_t created_at, started_at, finished_at, expires_at;
    const char *retry_of, *parent;
    bool simple;           /* no finish duties: the last settle is terminal */
    struct log_line event; /* of the transition just made; not a field of the document */
};
extern const struct doc job_doc, task_doc, task_error_doc, usage_doc, stop_doc, log_line_doc;

#endif
