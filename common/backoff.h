/* How long to wait before trying again what failed: doubling, bounded, with jitter. */
#ifndef COMMON_BACKOFF_H
#define COMMON_BACKOFF_H

#include <stdint.h>

/* Zero, with the two bounds set, is ready for use. Not for two threads at once. */
struct backoff {
    int64_t first_ms, max_ms;
    int64_t pause_ms; /* the last one, before jitter; 0 after a success */
    int64_t until_ms; /* clock_mono_ms of the next try */
};

/* `random` (any number) picks the jitter: the pause is within ±20 % of first_ms, 2·first_ms, …
 * max_ms. */
void backoff_fail(struct backoff *backoff, int64_t now_ms, uint32_t random);
void backoff_reset(struct backoff *backoff);
/* ms until the next try, 0 when it is due. */
int64_t backoff_left(const struct backoff *backoff, int64_t now_ms);

#endif
