/* Packets of one stream become CMAF files: init.mp4 and seg-00001.m4s …, cut where the caller says.
 */
#ifndef WORKER_TRANSCODE_SEGMENTER_H
#define WORKER_TRANSCODE_SEGMENTER_H

#include "common/arena.h"
#include "worker/media/libav.h"
#include "worker/transcode/grid.h"

struct segment {
    int64_t bytes;
    double duration_s;
};
/* A key frame, readable by itself with the init file: a byte range of a segment. */
struct iframe {
    size_t segment; /* index, from 0 */
    int64_t offset, bytes;
    double duration_s; /* until the next one */
};
struct segments {
    struct segment *at;
    size_t len, room;
};
struct iframes {
    struct iframe *at;
    size_t len, room;
};

struct segmenter {
    struct arena arena;
    const char *dir; /* exists; ends up with the files */
    AVFormatContext *format;
    AVRational time_base; /* of packets given to segmenter_write */
    int64_t start_us;     /* added to every time */
    uint8_t *fragment;    /* what the muxer wrote since the last flush */
    size_t fragment_len, fragment_room;
    int fd;         /* of the open segment, -1 */
    double ticks_s; /* seconds of one unit of time_base */
    int64_t files, bytes;
    struct segments segments;
    struct iframes iframes; /* only for video */
};

/* Writes the init file. The codec's extradata must be complete. */
int segmenter_open(struct segmenter *out, const char *dir, const AVCodecContext *codec,
                   int64_t start_us, struct err *err);
void segmenter_release(struct segmenter *segmenter);
/* `cut`: what begins with this packet; the first one always begins a segment. Takes the packet's
 * contents. */
int segmenter_write(struct segmenter *segmenter, AVPacket *packet, enum cut cut, struct err *err);
/* Writes what is left and closes the last segment. */
int segmenter_finish(struct segmenter *segmenter, struct err *err);
/* Removes every file that it made: they are not to be had after all. */
void segmenter_discard(const struct segmenter *segmenter);

#endif
