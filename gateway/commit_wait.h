/* Posts that are durable, between their tickets' publishing and their answer. Only the committer's.
 */
#ifndef GATEWAY_COMMIT_WAIT_H
#define GATEWAY_COMMIT_WAIT_H

#include "gateway/commit_batch.h"

struct commit_wait;

int commit_wait_open(struct commit_wait **out, struct publisher *publisher, struct err *err);
/* Answers what waits, at the latest after COMMIT_CONFIRM_MS. Tickets that the publisher answers
 * later find memory of their own. */
void commit_wait_free(struct commit_wait *wait);

/* Publishes the tickets of all that succeeded and is new, and answers each item, now or later. */
void commit_wait_add(struct commit_wait *wait, const struct commit_item *items, size_t len,
                     int64_t now, struct arena *arena);

#endif
