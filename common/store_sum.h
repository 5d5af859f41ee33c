/* Sums over the store's records: how many match, and how much of something they hold. */
#ifndef COMMON_STORE_SUM_H
#define COMMON_STORE_SUM_H

#include "common/arena.h"
#include "common/err.h"
#include "proto/doc.h"

struct store;

struct store_sum {
    const char *key; /* the value of the field summed by; NULL: of records that have none */
    int64_t count, total;
};

/* Over the records that match `filter` (never empty): a row for each value of the field `by` (a
 * text or an enum; NULL: one row for all), with their number and the total of the int64 field
 * `sum`. The largest totals come first, at most `limit`. No row if none matches. */
int store_sum(struct store *store, const char *collection, const struct doc *doc,
              const void *filter, const char *by, const char *sum, size_t limit,
              struct arena *arena, struct store_sum **out, size_t *len, struct err *err);

/* The same with more to choose by. */
struct store_sums {
    const void *filter; /* as above */
    const void *except; /* no record that has one of its present fields' values; may be NULL */
    struct strs among;  /* only these values of `by`; none: all */
    const char *by, *sum;
    size_t limit;
};
int store_sum_of(struct store *store, const char *collection, const struct doc *doc,
                 const struct store_sums *query, struct arena *arena, struct store_sum **out,
                 size_t *len, struct err *err);

#endif
