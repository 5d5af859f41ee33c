/* The generic cell rate algorithm: a bucket is one number, the time when it would be empty again.
 */
#include "gateway/rate.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { BUCKETS = 4096, BURST_US = 1000000 };

struct rate {
    int64_t step_us;
    _Atomic int64_t empty_us[BUCKETS];
};

struct rate *rate_open(int64_t per_s)
{
    if (per_s <= 0)
        return NULL;
    struct rate *rate = calloc(1, sizeof *rate);
    if (!rate)
        abort();
    rate->step_us = BURST_US / per_s > 0 ? BURST_US / per_s : 1;
    return rate;
}

void rate_free(struct rate *rate)
{
    free(rate);
}

/* FNV-1a. */
static uint64_t mix(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001B3);
    return (hash ^ 0xFF) * UINT64_C(0x100000001B3);
}

bool rate_take(struct rate *rate, const char *tenant, const char *caller, int64_t mono_ms,
               int64_t *retry_after_ms)
{
    if (!rate)
        return true;
    uint64_t hash = mix(mix(UINT64_C(0xCBF29CE484222325), tenant), caller);
    _Atomic int64_t *bucket = &rate->empty_us[(hash ^ (hash >> 32)) % BUCKETS];
    int64_t now_us = mono_ms * 1000, was = atomic_load_explicit(bucket, memory_order_relaxed), then;
    do {
        then = (was > now_us ? was : now_us) + rate->step_us;
        if (then - now_us > BURST_US) {
            *retry_after_ms = (then - now_us - BURST_US + 999) / 1000;
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(bucket, &was, then, memory_order_relaxed,
                                                    memory_order_relaxed));
    return true;
}
