/* One batch of posts on its way into the store. Only the committer's. */
#ifndef GATEWAY_COMMIT_BATCH_H
#define GATEWAY_COMMIT_BATCH_H

#include "common/arena.h"
#include "gateway/committer.h"

struct commit_item {
    struct commit *commit;
    const struct job *job; /* the commit's, or a copy under the id that an older try has recorded */
    bool adopted;          /* the latter */
    int64_t quota_bytes;   /* the project's; 0: none */
    struct commit_result result;
};

/* Projects, idempotency records, jobs, scenes: one command each, however many items; and what
 * quotas cost. Fills the results, except queued of what is new; they live in the arena. */
void commit_batch_write(struct store *store, const struct fleet_settings *settings,
                        struct commit_item *items, size_t len, int64_t now, struct arena *arena);

#endif
