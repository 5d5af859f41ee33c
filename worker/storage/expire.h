/* Inside worker/storage: what the parts of storage.expire share. */
#ifndef WORKER_STORAGE_EXPIRE_H
#define WORKER_STORAGE_EXPIRE_H

#include "worker/storage/report.h"

struct expiry {
    struct report report;
    struct run *run;
    struct bucket *bucket;
    struct storage_result *result;
    int64_t now, before; /* what changed after `before` is left alone */
    bool dry_run;
};

/* Which of these jobs have surely ended before `before`: their record says so, or is gone. NULL and what is no ULID: gone.
 * dead[i] per job; at most EXPIRE_BATCH. */
enum { EXPIRE_BATCH = 500 };
int expire_judge(const struct expiry *expiry, const char *const *jobs, size_t len, bool *dead, struct arena *arena,
                 struct err *err);

/* Rows that no upload will complete and no cleanup will end, with their objects. */
int expire_rows(struct expiry *expiry, struct err *err);
/* The rows of one job that failed, whatever they say. */
int expire_job_rows(struct expiry *expiry, const char *job, struct err *err);
/* Records of jobs past their time, and what failed ones have left. */
int expire_jobs(struct expiry *expiry, struct err *err);
/* Directories of the workspace. */
int expire_directories(struct expiry *expiry, struct err *err);
/* Unfinished multipart uploads; local: temporary files. */
int expire_uploads(struct expiry *expiry, struct err *err);

#endif
