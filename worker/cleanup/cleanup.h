/* The handler of cleanup tasks. */
#ifndef WORKER_CLEANUP_CLEANUP_H
#define WORKER_CLEANUP_CLEANUP_H

#include "proto/cleanup.h"
#include "worker/worker.h"

worker_handler cleanup;

/* The line of the audit about what a run deleted; a run that repeats another one, which died, adds
 * none. */
int cleanup_audit(struct run *run, const char *action, const char *subject,
                  const struct cleanup_result *result, struct err *err);

#endif
