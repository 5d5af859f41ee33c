/* Projects that are, and projects that were deleted: what everybody asks before it stores something, and the steps of a
 * deletion, which gateway and cleanup share because each may die in between. */
#ifndef COMMON_PROJECTS_H
#define COMMON_PROJECTS_H

#include "common/arena.h"
#include "common/err.h"
#include "common/publisher.h"
#include "common/store.h"
#include "proto/cleanup.h"
#include "proto/project.h"

/* 1: the record; 0: there is none, `out` is zero but for its names; -1. */
int projects_find(struct store *store, const char *tenant, const char *project, struct arena *arena,
                  struct project *out, struct err *err);
/* ERR_PROJECT_DELETED if it was. */
int projects_check(const struct project *project, struct err *err);

/* Whose doing it is, and until when (monotonic ms; 0: as long as it takes). Each step is over (1), has run out of time
 * (0), or failed (-1); `count` is raised by what it did, whichever. */
struct projects_step {
    struct store *store;
    struct publisher *publisher;
    const char *tenant, *project, *by;
    int64_t until_ms;
    bool (*stopped)(void *arg); /* also out of time; may be NULL */
    void *arg;
};
/* Every job that may store something gets its stop; what has nothing left to run gets its finish ticket. */
int projects_stop_jobs(const struct projects_step *step, int64_t *count, struct err *err);
int projects_remove_scenes(const struct projects_step *step, int64_t *count, struct err *err);

/* A project.cleanup job of that id, ready to be inserted. run_at 0: now. */
struct job *projects_cleanup_job(const struct projects_step *step, const char *id, int64_t run_at,
                                 const struct cleanup_params *params, struct arena *arena);
/* Makes it durable; there already is as good. */
int projects_insert_job(struct store *store, const struct job *job, struct err *err);

#endif
