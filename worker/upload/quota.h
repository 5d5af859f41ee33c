/* Whether what a job made may still be stored. */
#ifndef WORKER_UPLOAD_QUOTA_H
#define WORKER_UPLOAD_QUOTA_H

#include "proto/project.h"
#include "worker/run.h"

/* What the job's project and user store without this job, and `bytes` more. ERR_QUOTA_EXCEEDED.
 * Without a quota the store is asked nothing. */
int upload_quota_check(struct run *run, const struct project *project, int64_t bytes,
                       struct err *err);

#endif
