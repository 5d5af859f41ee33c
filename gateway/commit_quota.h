/* Quotas, held against a batch of posts. Only the committer's. */
#ifndef GATEWAY_COMMIT_QUOTA_H
#define GATEWAY_COMMIT_QUOTA_H

#include "gateway/commit_batch.h"

/* ERR_QUOTA_EXCEEDED in the result of every new item whose project or user has used it up; by
 * item->quota_bytes and the user's setting. Without a quota the store is asked nothing, else one
 * aggregation for all projects of a tenant and one for its users. -1: the store does not answer. */
int commit_quota_check(struct store *store, const struct fleet_settings *settings,
                       struct commit_item *items, size_t len, struct arena *arena, struct err *err);

#endif
