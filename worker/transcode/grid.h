/* Which frames begin a segment or a group of pictures, the same for every rendition. */
#ifndef WORKER_TRANSCODE_GRID_H
#define WORKER_TRANSCODE_GRID_H

#include <stddef.h>
#include <stdint.h>

/* What begins with a frame, or with a packet. */
enum cut { CUT_NONE, CUT_FRAGMENT, CUT_SEGMENT };

struct grid {
    int64_t gop_frames;     /* distance of key frames, from the start of each segment */
    int64_t segment_frames; /* distance of segments; not asked for if there are starts */
    const int64_t *starts;  /* first frame of each segment, ascending from 0; or NULL */
    size_t len;             /* of starts */
};

/* What the frame of that index (from 0) begins. */
enum cut grid_at(const struct grid *grid, int64_t frame);
/* First frame of a segment; INT64_MAX if starts end before it. */
int64_t grid_start(const struct grid *grid, size_t segment);

#endif
