/* How a job is changed: read, apply a pure transition to a copy, save the difference by compare-and-swap, again on conflict. */
#ifndef COMMON_CHANGE_H
#define COMMON_CHANGE_H

#include "common/arena.h"
#include "common/err.h"
#include "common/store.h"
#include "proto/transition.h"

/* A copy to apply transitions to; strings, lists and raw documents stay shared with the original. */
struct job *change_draft(const struct job *job, struct arena *arena);

/* Applies something to the draft; false: it does not apply (any more). Called once for each read of the job. */
typedef bool change_apply(struct job *draft, void *arg);

/* 0: applied and saved; 1: it does not apply; -1: the store, or ERR_JOB_NOT_FOUND, or ERR_OVERLOADED after 32 conflicts.
 * `known` is the job as the caller read it, tried first (NULL: reads it). *out is the job as saved, or as last read. */
int change_job(struct store *store, const char *id, const struct job *known, change_apply *apply, void *arg,
               struct arena *arena, struct job **out, struct err *err);

#endif
