/* From any timestamps to a constant frame rate: which output frames a source frame becomes. */
#ifndef WORKER_TRANSCODE_CADENCE_H
#define WORKER_TRANSCODE_CADENCE_H

#include <stdint.h>

struct fraction {
    int num, den;
};

enum { CADENCE_RATE_MAX = 60, CADENCE_RATE_MIN = 10 };

/* The output's rate: a usual one close to `average`, never above 60 (higher ones are halved), never
 * below 10. `base` is the rate whose multiples the timestamps are: it tells a film with dropped
 * frames from an odd rate. num 0: unknown. */
struct fraction cadence_rate(struct fraction average, struct fraction base);

/* Zero but for `rate` and `time_base` at the start. */
struct cadence {
    struct fraction rate;
    struct fraction time_base; /* seconds of one pts unit */
    int64_t origin;            /* pts of the first frame */
    int64_t last;              /* pts of the latest frame that was taken */
    int64_t step;              /* distance of the latest two */
    int64_t next;              /* index of the next output frame */
    _Bool started;
};

/* How often the frame before is to be repeated before this one takes its place (at most `*repeat` =
 * gap), and whether this frame is shown at all: 1 yes, 0 it is dropped (its place is taken, or its
 * time lies in the past). */
int cadence_take(struct cadence *cadence, int64_t pts, int64_t *repeat);
/* Repeats of the last frame that fill its own duration (pts units; 0: as long as the one before).
 */
int64_t cadence_finish(struct cadence *cadence, int64_t duration);

#endif
