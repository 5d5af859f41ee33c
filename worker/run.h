/* What a handler may ask and tell while it runs. */
#ifndef WORKER_RUN_H
#define WORKER_RUN_H

#include <stdbool.h>

#include "common/arena.h"
#include "common/bucket.h"
#include "common/err.h"
#include "common/publisher.h"
#include "common/store.h"
#include "proto/job.h"

struct run; /* one claimed task; everything it hands out lives until the handler returns */

const struct job *run_job(const struct run *run); /* as it was at the claim */
const struct task *run_task(const struct run *run);
struct arena *run_arena(struct run *run);
const void *run_settings(const struct run *run); /* the struct of worker.settings */
const struct fleet_settings *run_fleet(const struct run *run);
struct store *run_store(struct run *run);
struct publisher *run_publisher(struct run *run);
/* How long after a job's end a PUT of it may still come: MEDIAFLEET_TOMBSTONE_S. */
int64_t run_tombstone_ms(const struct run *run);
/* Opened at the first call, kept by the slot's thread. */
int run_bucket(struct run *run, struct bucket **out, struct err *err);

/* Another backend than the one that counts, with its settings of the same environment. The caller frees it before the
 * handler returns. */
int run_open_bucket(struct run *run, enum backend backend, struct bucket **out, struct err *err);

/* A file without a name in the workspace, for jobs that have no directory; the caller closes it. */
int run_scratch(struct run *run, int *fd, struct err *err);

/* <workspace>/<job>/<task>.<run>, made at the first call. NULL with err when it cannot be made. */
const char *run_dir(struct run *run, struct err *err);
/* The directory of the run that ended task `name` with success; NULL if it did not succeed. */
const char *run_dir_of(struct run *run, const char *name);
/* The directory that all of these are in. */
const char *run_workspace(const struct run *run);
/* How long after a delete a late PUT may come: MEDIAFLEET_TOMBSTONE_S. */
int64_t run_tombstone_s(const struct run *run);
/* Decodes the result of a needed task. 1: it succeeded, `out` is filled; 0: it ended otherwise (optional ones). */
int run_need(struct run *run, const char *name, void *out, struct err *err);

/* Saves what is done so far (the struct of the kind's result) as the task's result, if the run is still ours: else
 * ERR_LEASE_LOST. The next run, after a crash, a hand-back or a failure, finds it in run_task(run)->result; a task that
 * fails in the end keeps it. One round trip; where it fails with another error, it is saved or not. The handler's thread. */
int run_checkpoint(struct run *run, const void *result, struct err *err);

/* 0 … 99 and a sentence of at most 200 bytes for people. Cheap: sent once a second by the pulse. Any thread. */
void run_progress(struct run *run, int64_t percent, const char *message);
void run_usage(struct run *run, int64_t bytes_in, int64_t bytes_out); /* adds */
/* How many threads may work for the process at once: its share of MEDIAFLEET_CORES, at least 1. */
int run_cores(const struct run *run);
/* The task must end soon: cancelled, timed out, lease lost or shutting down. Any thread, any time. */
bool run_stopped(const struct run *run);
/* Sets err to the reason: `if (run_stopped(run)) return run_stop_error(run, err);` */
int run_stop_error(const struct run *run, struct err *err);

#endif
