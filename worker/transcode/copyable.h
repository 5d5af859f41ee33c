/* Whether a source's packets may be a rendition as they are: pure arithmetic on what the packets
 * say, told one by one. The last word; what the container promises is not asked. */
#ifndef WORKER_TRANSCODE_COPYABLE_H
#define WORKER_TRANSCODE_COPYABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "worker/transcode/cadence.h"

/* What copying asks of a stream of pictures. */
struct copy_limits {
    int64_t segment_frames; /* a segment has at most so many, if its key frames allow it */
    int64_t idr_frames;     /* key frames are at most so far apart */
    int64_t average_bps;    /* 0: any */
    int64_t peak_bps;       /* of a segment of at least half the length; 0: any */
};
enum { COPY_IDR_FRAMES_MAX = 2048 };

struct copy_picture {
    int64_t pts, dts, bytes; /* times that are missing may be anything absurd, as libav's are */
    bool idr;
};
/* The pictures so far. Zero but for `rate`, `time_base` and `limits` at the start. */
struct copyable {
    struct fraction rate, time_base; /* of the output; seconds of one pts unit */
    struct copy_limits limits;
    const char *why; /* it may not be copied; NULL: as yet it may */
    int64_t origin;  /* pts of the first picture, which is the first one shown, too */
    int64_t frames;  /* taken */
    int64_t bytes;   /* of all */
    int64_t reorder; /* frames by which pictures are shown later than decoded */
    int64_t *starts; /* first frame of each segment; copyable_release frees it */
    size_t starts_len, starts_room;
    bool dts_known;
    int64_t dts;                             /* of the latest */
    int64_t idr;                             /* frame of the latest key frame */
    int64_t shown_end;                       /* after the last frame since then */
    int64_t segment_bytes, gop_bytes;        /* up to that key frame, and since */
    uint64_t seen[COPY_IDR_FRAMES_MAX / 64]; /* frames since then: each once */
};

/* The next packet in decoding order: its frame's index, from 0; -1: it may not be copied (`why`).
 */
int64_t copyable_take(struct copyable *copyable, const struct copy_picture *picture);
/* After the last one: 0 it may, -1 it may not (`why`). */
int copyable_finish(struct copyable *copyable);
void copyable_release(struct copyable *copyable);

/* Sound without holes, on the grid of its own blocks. Zero but for the first line at the start. */
struct copyable_sound {
    struct fraction time_base;
    int64_t rate, block, average_bps; /* samples a second, samples of a packet; 0: any */
    const char *why;
    int64_t origin; /* pts of the first packet */
    int64_t blocks, bytes;
};
int copyable_sound_take(struct copyable_sound *sound, int64_t pts, int64_t bytes);
int copyable_sound_finish(struct copyable_sound *sound);

#endif
