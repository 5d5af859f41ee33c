/* A bucket that leaks: what was saved up in idle times is a second's worth at most. */
#include "worker/storage/throttle.h"

#include "common/clock.h"

enum { SAVED_MS = 1000, NAP_MS = 200 };

void throttle_count(struct throttle *throttle, int64_t bytes)
{
    int64_t now = clock_mono_ms(), left;
    if (throttle->rate_bytes <= 0 || bytes <= 0)
        return;
    if (throttle->free_mono < now - SAVED_MS)
        throttle->free_mono = now - SAVED_MS;
    throttle->free_mono += (int64_t)((double)bytes * 1000 / (double)throttle->rate_bytes);
    while ((left = throttle->free_mono - clock_mono_ms()) > 0 && !run_stopped(throttle->run))
        clock_sleep_ms(left < NAP_MS ? left : NAP_MS);
}
