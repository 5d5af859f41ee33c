/* The one door to MongoDB: jobs by claim, swap and pulse; every other record by its document table.
 *
 * A store is opened once per process, after any fork; any thread may call it (each call borrows a client of the pool).
 * Every call ends within the timeouts of the settings. All failures to reach the server are ERR_STORE_UNAVAILABLE.
 * Where a connection broke after the request was sent, the outcome is unknown: the call reads again and decides, so
 * that an answer is always true. store_commands() counts the commands sent, for tests of the round trips. */
#ifndef COMMON_STORE_H
#define COMMON_STORE_H

#include "common/arena.h"
#include "common/err.h"
#include "proto/job.h"
#include "proto/settings.h"

struct store;

int store_open(struct store **out, const struct store_settings *settings, const char *app, struct err *err);
void store_free(struct store *store);
/* Asks the server for its time (isMaster.localTime) and tells common/clock. Also the readiness check. */
int store_ping(struct store *store, struct err *err);
/* Creates the indexes of every collection; harmless when they exist. */
int store_prepare(struct store *store, struct err *err);
int64_t store_commands(const struct store *store);

/* --- jobs ------------------------------------------------------------------------------------------------------ */
/* One insertMany. errs[i].code is ERR_NONE if job i is durable (also when it was there already: ids are unique). */
int store_insert_jobs(struct store *store, const struct job *const *jobs, size_t len, struct err *errs, struct err *err);
/* ERR_JOB_NOT_FOUND if there is none. */
int store_job(struct store *store, const char *id, struct arena *arena, struct job *out, struct err *err);
int store_jobs_by_id(struct store *store, const char *const *ids, size_t len, struct arena *arena, struct job **out,
                     size_t *out_len, struct err *err);

/* Claims task `task` of `job` for `worker`, if it is queued and due: one findAndModify, or for several one unordered
 * bulk update and one find. Fills claimed (true: ours, `found` is the job as it now is, `task` runs as ours). Where
 * false, `found` is the job as read (found.id NULL: no such job). Which claim is ours is exact: each entry of each call
 * writes a token of its own into the task (tasks.N.claim, in no table) and looks for it. A task that has crashed
 * processes before is claimed only by those that are `alone`. */
struct store_claim {
    const char *job;
    size_t task;
    bool alone; /* nothing else runs in this process */
    bool claimed;
    struct job found;
};
int store_claim(struct store *store, struct store_claim *claims, size_t len, const char *worker, int64_t now,
                int64_t lease_ms, struct arena *arena, struct err *err);

/* Saves before → after by {_id, rev}: the difference as $set/$unset, $inc rev, after->event pushed to the log.
 * Fills saved; where false somebody else was faster: read again, apply again. One bulk for several. */
struct store_swap {
    const struct job *before, *after;
    bool saved;
};
int store_swap(struct store *store, struct store_swap *swaps, size_t len, struct err *err);

/* Renews leases and percents: one bulk of {_id, rev as known}. held[i].alive false afterwards: that run is not ours any
 * more; stop: the job is to stop; rev is brought up to date. */
struct store_pulse {
    const char *job; /* shared by neighbours: pulses of one job are sent as one write */
    size_t task;
    int64_t run, rev, percent;
    const char *message;
    bool alive;
    enum error stop;
};
int store_pulse(struct store *store, struct store_pulse *held, size_t len, const char *worker, int64_t lease_until,
                struct err *err);

/* Live jobs whose alarm_at has passed, the oldest alarm first. */
int store_due(struct store *store, int64_t now, size_t limit, struct arena *arena, struct job **out, size_t *len,
              struct err *err);

/* A page of a list, the newest first. Absent members do not filter. */
struct job_query {
    const char *tenant, *project_id, *recipe;
    enum job_state state;
    const char *before_id; /* the last id of the page before, or NULL */
    size_t limit;
};
int store_list_jobs(struct store *store, const struct job_query *query, struct arena *arena, struct job **out,
                    size_t *len, struct err *err);

/* --- other records: a collection name, a table, and filters that are documents of the same table ---------------- */
#include "common/store_records.h"

#endif
