/* Which renditions a picture of some size gets. */
#ifndef WORKER_TRANSCODE_LADDER_H
#define WORKER_TRANSCODE_LADDER_H

#include <stdint.h>

enum { LADDER_MAX = 4 };

struct rung {
    int width, height;   /* even */
    int64_t maxrate_bps; /* of the rate control's buffer */
    int64_t bufsize_bits;
    const char *profile; /* H.264: "main" or "high" */
};
struct ladder {
    struct rung at[LADDER_MAX]; /* the largest first */
    int len;                    /* 1 … LADDER_MAX */
};

/* For a picture as displayed: 1080, 720, 480 and 360 by its short side, never larger than the
 * source; a source smaller than all of them gets its own size, made even. */
void ladder_build(int width, int height, struct ladder *out);

#endif
