/* Leases in the store: whoever has one does something for all processes. By the store's clock. */
#ifndef COMMON_LEASE_H
#define COMMON_LEASE_H

#include "common/err.h"
#include "common/store.h"

/* 0: `id` is `who`'s until `ms` from now, because it was nobody's, past its end, or his already
 * (which renews it). 1: it is somebody else's. Any thread. */
int lease_take(struct store *store, const char *id, const char *who, int64_t ms, struct err *err);
/* It is nobody's from now on, if it is `who`'s. */
int lease_drop(struct store *store, const char *id, const char *who, struct err *err);

#endif
