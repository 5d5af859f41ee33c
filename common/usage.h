/* The last scan of a bucket in the store, which all gateways share, and a line for each day. */
#ifndef COMMON_USAGE_H
#define COMMON_USAGE_H

#include "common/bucket.h"
#include "common/store.h"
#include "common/usage_scan.h"
#include "proto/bucket_usage.h"

/* Scans the whole bucket now, and saves what it found as the last scan and as today's. Whether
 * somebody else scans does not matter. watch may be NULL. Any thread, with a bucket of its own. */
int usage_snapshot(struct store *store, struct bucket *bucket, const struct usage_watch *watch,
                   struct arena *arena, struct bucket_usage *out, struct err *err);

/* 0, and scanned_at 0 if there was no scan yet. */
int usage_last(struct store *store, const struct bucket *bucket, struct arena *arena,
               struct bucket_usage *out, struct err *err);

/* The lease of whoever scans a bucket for all: lease_take's id. */
const char *usage_lease_id(const struct bucket *bucket, struct arena *arena);

/* The lines of the last `days` days, today included, the first one first. */
int usage_days(struct store *store, const struct bucket *bucket, int64_t days, struct arena *arena,
               struct bucket_usage_day **out, size_t *len, struct err *err);

#endif
