/* The store's jobs: whole, and by claim, swap and pulse. */
#ifndef COMMON_STORE_JOBS_H
#define COMMON_STORE_JOBS_H

#include "common/arena.h"
#include "common/err.h"
#include "proto/job.h"

struct store;

/* One insertMany; job->event, if set, becomes the first line of the log. errs[i].code is ERR_NONE
 * if job i is durable (also when it was there already: ids are unique). -1: nothing is known to be.
 */
int store_insert_jobs(struct store *store, const struct job *const *jobs, size_t len,
                      struct err *errs, struct err *err);
/* ERR_JOB_NOT_FOUND if there is none. By ids: those that exist, in no order. */
int store_job(struct store *store, const char *id, struct arena *arena, struct job *out,
              struct err *err);
int store_jobs_by_id(struct store *store, const char *const *ids, size_t len, struct arena *arena,
                     struct job **out, size_t *out_len, struct err *err);

/* Claims task `task` of `job` for `worker`, if it is queued and due: one findAndModify, or for
 * several one bulk and one find. Fills claimed (true: ours, `found` is the job as it now is, `task`
 * runs as ours). Where false, `found` is the job as read (found.id NULL: no such job, or one that
 * cannot be read). Which claim is ours is exact: each call writes tokens of its own into the tasks
 * (tasks.N.claim, in no table) and looks for them; of two entries for one task the first is it. A
 * task that has crashed processes before is claimed only by those that are `alone`. */
struct store_claim {
    const char *job;
    size_t task;
    enum kind kind;      /* the task must be of it; KIND_NONE: any */
    bool alone, claimed; /* alone: nothing else runs in this process */
    struct job found;
};
int store_claim(struct store *store, struct store_claim *claims, size_t len, const char *worker,
                int64_t now, int64_t lease_ms, struct arena *arena, struct err *err);

/* Saves before → after by {_id, rev}: the difference as $set/$unset (a task that has ended whole),
 * $inc rev, after->event pushed to the log (none if event.event is NULL). `after` may share strings
 * with `before`, but not a list that was changed in place. Fills saved; where false somebody else
 * was faster: read again, apply again. One bulk for several, in which equal updates are one; if
 * some of them lost, one find tells which: every swap leaves its token in its log line (or in the
 * job). Only JOB_LOG_MAX further changes between write and find hide it: then saved is false, and
 * the transition will not apply a second time. ERR_INTERNAL: the server refused a document (too
 * large); saved is true for those it took. */
struct store_swap {
    const struct job *before, *after;
    bool saved;
};
int store_swap(struct store *store, struct store_swap *swaps, size_t len, struct err *err);

/* Renews leases and percents: one bulk of {_id, rev as known}. held[i].alive false afterwards: that
 * run is not ours any more; rev and stop are brought up to date where the job changed, and are left
 * as they were where it did not. */
struct store_pulse {
    const char *job; /* shared by neighbours: pulses of one job are sent as one write */
    size_t task;
    int64_t run, rev, percent;
    const char *message;
    bool alive;
    enum error stop;
};
int store_pulse(struct store *store, struct store_pulse *held, size_t len, const char *worker,
                int64_t lease_until, struct err *err);

/* A page of a list, the newest first. Absent members do not filter. */
struct job_query {
    const char *tenant, *project_id, *recipe;
    enum job_state state;
    const char *before_id; /* the last id of the page before, or NULL */
    size_t limit;
};
int store_list_jobs(struct store *store, const struct job_query *query, struct arena *arena,
                    struct job **out, size_t *len, struct err *err);

#endif
