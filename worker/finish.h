/* The finish duties of a job whose tasks have all ended. Inside worker/ only. */
#ifndef WORKER_FINISH_H
#define WORKER_FINISH_H

#include "worker/runtime.h"

/* Writes the scene, hands a failed job's objects to cleanup, removes the job's workspace, then makes the job terminal.
 * May be done twice, by anybody: every step has the same end. `job` is as last read; memory from the arena. */
int finish_job(struct runtime *runtime, const struct job *job, struct arena *arena, struct err *err);

#endif
