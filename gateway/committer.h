/* Accepted posts become durable here: requests arriving together are one insert and one window of
 * publishes. Owns the order: idempotency record, job, scene, tickets, answer. */
#ifndef GATEWAY_COMMITTER_H
#define GATEWAY_COMMITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/publisher.h"
#include "common/store.h"
#include "proto/idempotency.h"
#include "proto/job.h"
#include "proto/scene.h"
#include "proto/settings.h"

struct committer;

struct commit_result {
    struct err err;     /* code ERR_NONE: the job is durable */
    const char *job_id; /* of the existing job where the request was seen before */
    const char *scene;  /* its scene's id, or NULL */
    bool existing;      /* nothing new was made */
    bool queued;        /* the broker confirmed the tickets in time */
};

/* One accepted post. Everything it points to is the caller's and stays as it is until done. */
struct commit {
    const struct job *job; /* started (job_start) */
    /* Merged into the record of its _id once the job is in; or NULL. Whether that record may be
     * written is checked before. */
    const struct scene *scene;
    /* id and request_hash, or NULL. A scene's id that the request did not name must be id_oid of
     * the job's: where an older try has recorded the job's id, its scene's follows. */
    const struct idempotency *idempotency;
    /* Called exactly once, from a thread of the committer's; must not block. The result lives as
     * long as the call. ERR_STORE_UNAVAILABLE, ERR_IDEMPOTENCY_KEY_REUSE, ERR_PROJECT_DELETED,
     * ERR_QUOTA_EXCEEDED, or done. */
    void (*done)(void *arg, const struct commit_result *result);
    void *arg;
    /* Monotonic: nobody waits for the answer from then on, and what is not written by then is not
     * written at all (ERR_STORE_UNAVAILABLE). 0: never. */
    int64_t late_ms;

    struct commit *next; /* the committer's own */
};

/* COMMIT_CONFIRM: how long an answer waits for the broker; the alarm covers what comes later. */
enum { COMMIT_BATCH = 256, COMMIT_CONFIRM_MS = 250 };

/* settings: of the quotas. limit: posts submitted and not written yet, beyond which
 * committer_submit says ERR_OVERLOADED. */
int committer_open(struct committer **out, struct store *store, struct publisher *publisher,
                   const struct fleet_settings *settings, size_t limit, struct err *err);
/* Commits and answers what was submitted, then ends its threads. Before publisher_free. */
void committer_free(struct committer *committer);
/* Batches written so far, by how many posts they had: at most 1, 2, 4 … COMMIT_BATCH. */
enum { COMMIT_SIZES = 9 };
struct commit_sizes {
    int64_t batches[COMMIT_SIZES], posts;
};
struct commit_sizes committer_sizes(struct committer *committer);
/* Any thread; returns at once. -1: ERR_OVERLOADED, and done is not called. */
int committer_submit(struct committer *committer, struct commit *commit, struct err *err);

#endif
