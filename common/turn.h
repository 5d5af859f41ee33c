/* Whose turn it is: work that two processes should not do at the same time, though nothing breaks
 * if they do. A turn is a lease by the store's clock, no lock: whoever is late finds that another
 * has it. */
#ifndef COMMON_TURN_H
#define COMMON_TURN_H

#include "common/store.h"

/* Any thread. 1: it is `owner`'s for lease_ms from `now` (taken, or taken again); 0: somebody
 * else's; -1. */
int turn_take(struct store *store, const char *name, const char *owner, int64_t now,
              int64_t lease_ms, struct err *err);
/* Lets go of it, if it is still `owner`'s: the next who asks gets it. */
int turn_leave(struct store *store, const char *name, const char *owner, int64_t now,
               struct err *err);

#endif
