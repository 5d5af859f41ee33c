/* What the reconciler asks the store for: jobs by their alarm. */
#ifndef COMMON_STORE_DUE_H
#define COMMON_STORE_DUE_H

#include "common/arena.h"
#include "common/err.h"
#include "proto/job.h"

struct store;

/* Live jobs whose alarm_at has passed, the oldest alarm first. One that cannot be read is left out,
 * unless all are. */
int store_due(struct store *store, int64_t now, size_t limit, struct arena *arena, struct job **out,
              size_t *len, struct err *err);

/* Live jobs with a task of that kind that has waited since `due` or longer: their number, and, from
 * an alarm on, those that were nudged so often since their last change. */
int store_count_waiting(struct store *store, enum kind kind, int64_t due, int64_t *out,
                        struct err *err);
struct store_waiting {
    enum kind kind;
    int64_t due, nudges, from;
    size_t limit;
};
int store_waiting(struct store *store, const struct store_waiting *query, struct arena *arena,
                  struct job **out, size_t *len, struct err *err);

#endif
