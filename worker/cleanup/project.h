/* A project's cleanup and its two phases. Inside worker/cleanup. */
#ifndef WORKER_CLEANUP_PROJECT_H
#define WORKER_CLEANUP_PROJECT_H

#include "common/discover.h"
#include "proto/cleanup.h"
#include "proto/file_path.h"
#include "worker/worker.h"

/* How many keys a batch has: one DeleteObjects, between two checkpoints. */
enum { PROJECT_BATCH = 500 };

struct project_run {
    struct run *run;
    const struct cleanup_params *params;
    struct cleanup_result *result; /* as the next checkpoint will save it */
    struct bucket *bucket;
    struct discover *discover;
    int64_t rows; /* of the project, when the run began */
    char after[OBJECT_KEY_MAX + 1], until[OBJECT_KEY_MAX + 1]; /* the state's */
};

/* The handler of tasks with a project_id. */
worker_handler project_cleanup;

/* Phase one: every row in the order of the keys. A row goes when its object is gone. */
int project_tracked(struct project_run *project, struct err *err);
/* Phase two: what no row tells of. */
int project_pattern_run(struct project_run *project, struct err *err);

/* What both use: a batch is announced (so that a run after a crash can count it as it was), done,
 * and settled. */
int project_announce(struct project_run *project, const char *until, int64_t count, int64_t missing,
                     int64_t bytes, struct err *err);
int project_settle(struct project_run *project, const char *after, struct err *err);
/* Deletes objects; errs[i] says of each. -1: the bucket did not answer for any of them, or the run
 * has to stop. */
int project_delete(struct project_run *project, const char *const *keys, size_t len,
                   struct err *errs, struct err *err);
void project_note(struct project_run *project, const char *key, enum error code,
                  const char *detail);

#endif
