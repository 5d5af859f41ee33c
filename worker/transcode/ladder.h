/* Which renditions a picture of some size gets. */
#ifndef WORKER_TRANSCODE_LADDER_H
#define WORKER_TRANSCODE_LADDER_H

#include <stdint.h>

enum { LADDER_MAX = 4 };

struct rung {
    int width, height;   /* even */
    int64_t maxrate_bps; /* of the rate control's buffer */
    int64_t bufsize_bits;
};
struct ladder {
    struct rung at[LADDER_MAX]; /* the largest first */
    int len;                    /* 1 … LADDER_MAX */
};

/* For a picture as displayed: 1080, 720, 480 and 360 by its short side, never larger than the
 * source; a source smaller than all of them gets its own size, made even. */
void ladder_build(int width, int height, struct ladder *out);
/* The rung whose pictures the one at `index` is scaled from, -1: the source's own. Rungs before
 * `first` (<= index) are not encoded. */
int ladder_scaled_from(const struct ladder *ladder, int first, int index);
/* How many threads the rung's encoder gets when that many cores are to be kept busy. */
int ladder_threads(const struct ladder *ladder, int first, int index, int cores);

#endif
