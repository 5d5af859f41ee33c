/* Pauses between tries. */
#include "common/backoff.h"

void backoff_fail(struct backoff *backoff, int64_t now_ms, uint32_t random)
{
    int64_t pause = backoff->pause_ms ? backoff->pause_ms * 2 : backoff->first_ms;
    backoff->pause_ms = pause < backoff->max_ms ? pause : backoff->max_ms;
    int64_t percent = 80 + random % 41;
    backoff->until_ms = now_ms + backoff->pause_ms * percent / 100;
}

void backoff_reset(struct backoff *backoff)
{
    backoff->pause_ms = 0;
    backoff->until_ms = 0;
}

int64_t backoff_left(const struct backoff *backoff, int64_t now_ms)
{
    return backoff->until_ms > now_ms ? backoff->until_ms - now_ms : 0;
}
