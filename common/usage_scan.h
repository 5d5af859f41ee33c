/* Counting what lies in a bucket, by listing all of it. */
#ifndef COMMON_USAGE_SCAN_H
#define COMMON_USAGE_SCAN_H

#include "common/bucket.h"
#include "proto/bucket_usage.h"

/* Asked before every page: -1 with err ends the scan. */
struct usage_watch {
    int (*step)(void *arg, struct err *err);
    void *arg;
};

/* Fills all of `out` but its id, time and lease. A page of objects at a time, in constant memory:
 * types and projects are read from the keys, which come sorted, so that a project's objects come
 * together. Of a project whose objects lie under several forms of keys all are counted as long as
 * it is among some hundred largest meanwhile. watch may be NULL. Strings are the arena's. */
int usage_scan(struct bucket *bucket, const struct usage_watch *watch, struct arena *arena,
               struct bucket_usage *out, struct err *err);

#endif
