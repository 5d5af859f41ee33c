/* A token bucket per caller: how many requests a second, with a second's worth at once. */
#ifndef GATEWAY_RATE_H
#define GATEWAY_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate;

/* per_s 0: no limit, and NULL. */
struct rate *rate_open(int64_t per_s);
void rate_free(struct rate *rate);

/* Any thread. One request of `caller` of `tenant`; false: too many, *retry_after_ms says when there
 * is room again. Callers share one of 4,096 buckets with those of the same hash. */
bool rate_take(struct rate *rate, const char *tenant, const char *caller, int64_t mono_ms,
               int64_t *retry_after_ms);

#endif
