/* Where tasks hand files to each other: <workspace>/<job>/<task>.<run>/, and the workers' locks beside it. */
#ifndef WORKER_WORKSPACE_H
#define WORKER_WORKSPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"

/* "<workspace>/<job>/<task>.<run>" */
char *workspace_dir(const char *workspace, const char *job, const char *task, int64_t run, struct arena *arena);
/* Makes a directory and those above it. */
int workspace_make(const char *path, struct err *err);
/* Removes a directory and all below it, following no link. What is not there is removed already. */
int workspace_remove(const char *path, struct err *err);
/* The same of a run's directory, and of its job's if that was the last. */
int workspace_forget(const char *path, struct err *err);
int64_t workspace_free_bytes(const char *workspace); /* -1 when it cannot be asked */

/* The proof of life: an exclusive flock on <workspace>/.workers/<worker id>, held until the process ends. The kernel
 * releases it however the process dies, so that a free lock proves the death. */
int workspace_lock(const char *workspace, const char *worker, int *fd, struct err *err);
/* Ends the proof: removes the file. */
void workspace_unlock(const char *workspace, const char *worker, int fd);
/* The last word of a process that must end before it could settle its runs: nobody has crashed. */
void workspace_leave(int fd);
bool workspace_left(const char *workspace, const char *worker);
/* True only if that worker ran on this host (its id begins with "<host>.") and its lock is free. */
bool workspace_dead(const char *workspace, const char *worker, const char *host);
/* How many workers of that kind hold their lock on this host; their files' names are "<host>.<kind>.…". */
int workspace_living(const char *workspace, const char *host, const char *kind);
/* Removes the lock files of workers of this host that died more than a day ago. */
void workspace_forget_dead(const char *workspace, const char *host);

#endif
