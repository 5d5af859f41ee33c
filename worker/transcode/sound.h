/* The audio rendition: decoded frames become AAC-LC in stereo, without holes, cut into segments. */
#ifndef WORKER_TRANSCODE_SOUND_H
#define WORKER_TRANSCODE_SOUND_H

#include <stdbool.h>

#include <libavutil/audio_fifo.h>
#include <libswresample/swresample.h>

#include "worker/transcode/segmenter.h"

struct sound {
    /* Set before the first frame. */
    const char *dir;
    AVRational time_base; /* of the frames' pts */
    int64_t origin_us;    /* the asset's zero on the source's clock */
    int64_t delay_us;     /* added to every time, as in the video renditions */
    double segment_s;
    const struct grid *grid; /* where segments begin, in frames of `rate`; NULL: every segment_s */
    AVRational rate;
    bool copied; /* by sound_open_copy */
    SwrContext *swr;
    AVChannelLayout in_layout;
    int in_format, in_rate;
    AVAudioFifo *fifo;
    AVFrame *block; /* what the encoder takes at once */
    AVCodecContext *encoder;
    struct segmenter segmenter;
    int64_t base;     /* time of the first sample, in samples */
    int64_t taken;    /* samples that went into the fifo */
    int64_t encoded;  /* samples that left it */
    int64_t boundary; /* number of the next segment's start on the grid */
};

void sound_release(struct sound *sound);
int sound_take(struct sound *sound, const AVFrame *frame, struct err *err);
int sound_finish(struct sound *sound, struct err *err);

/* Instead of decoding and sound_take: the source's AAC blocks as they are, without holes.
 * `first_pts`: of the first block, in the stream's units; it may lie before the asset's zero by
 * less than a block. */
int sound_open_copy(struct sound *sound, const AVStream *stream, int64_t first_pts,
                    struct err *err);
/* The next block. Takes the packet's contents. */
int sound_copy(struct sound *sound, AVPacket *packet, struct err *err);

#endif
