/* Constant frame rate without libav: pure arithmetic on timestamps. */
#include "worker/transcode/cadence.h"

#include <stddef.h>

static const struct fraction usual[] = {
    {10, 1},       {12, 1}, {15, 1}, {20, 1}, {24000, 1001}, {24, 1}, {25, 1},
    {30000, 1001}, {30, 1}, {48, 1}, {50, 1}, {60000, 1001}, {60, 1}};
/* Bounds that keep differences of timestamps and counts of frames far from overflow. */
#define CADENCE_PTS_MAX (INT64_MAX / 4)
#define CADENCE_INDEX_MAX (INT64_MAX / 4)
enum { USUAL = sizeof usual / sizeof usual[0] };

static double value(struct fraction fraction)
{
    return fraction.den > 0 ? (double)fraction.num / fraction.den : 0;
}

/* The usual rate that is within 0.04 % (24 and 23.976 are 0.1 % apart), else within 0.5 %, else
 * none. */
static const struct fraction *close_to(double rate)
{
    static const double tolerances[] = {0.0004, 0.005};
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < USUAL; i++) {
            double ratio = rate / value(usual[i]);
            if (ratio > 1 - tolerances[pass] && ratio < 1 + tolerances[pass])
                return &usual[i];
        }
    return NULL;
}

static struct fraction at_least(double rate)
{
    for (size_t i = 0; i < USUAL; i++)
        if (value(usual[i]) >= rate)
            return usual[i];
    return usual[USUAL - 1];
}

struct fraction cadence_rate(struct fraction average, struct fraction base)
{
    double rate = value(average) > 0 ? value(average) : value(base);
    if (!(rate > 0) || rate > 100000)
        return (struct fraction){25, 1};
    while (rate > CADENCE_RATE_MAX * 1.005)
        rate /= 2;
    const struct fraction *found = close_to(rate);
    if (!found && value(base) <= 2 * rate)
        found = close_to(value(base));
    return found ? *found : at_least(rate);
}

/* Index of the output frame nearest to `units` after the origin, the earlier of two. Times from
 * outside may be anything: 128 bits hold every product, and what is absurd stays absurdly large. */
static int64_t index_at(const struct cadence *cadence, int64_t units)
{
    __extension__ __int128 ticks = units;
    ticks *= (int64_t)cadence->time_base.num * cadence->rate.num;
    __extension__ __int128 per_frame = (int64_t)cadence->time_base.den * cadence->rate.den;
    __extension__ __int128 index = (ticks * 2 + per_frame - 1) / (per_frame * 2);
    return index > CADENCE_INDEX_MAX ? CADENCE_INDEX_MAX : (int64_t)index;
}

int cadence_take(struct cadence *cadence, int64_t pts, int64_t *repeat)
{
    *repeat = 0;
    pts = pts > CADENCE_PTS_MAX ? CADENCE_PTS_MAX : pts < -CADENCE_PTS_MAX ? -CADENCE_PTS_MAX : pts;
    if (!cadence->started) {
        cadence->started = 1;
        cadence->origin = cadence->last = pts;
        cadence->next = 1;
        return 1;
    }
    if (pts <= cadence->last)
        return 0;
    cadence->step = pts - cadence->last;
    cadence->last = pts;
    int64_t index = index_at(cadence, pts - cadence->origin);
    if (index < cadence->next)
        return 0;
    *repeat = index - cadence->next;
    cadence->next = index + 1;
    return 1;
}

int64_t cadence_finish(struct cadence *cadence, int64_t duration)
{
    if (!cadence->started)
        return 0;
    if (duration <= 0 || duration > CADENCE_PTS_MAX)
        duration = cadence->step;
    int64_t end = cadence->last - cadence->origin + duration;
    int64_t missing = index_at(cadence, end) - cadence->next;
    if (missing <= 0)
        return 0;
    cadence->next += missing;
    return missing;
}
