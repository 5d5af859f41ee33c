/* One stream's decoder with bounds: threads, picture size, and how much may be broken. */
#ifndef WORKER_MEDIA_DECODER_H
#define WORKER_MEDIA_DECODER_H

#include "worker/media/input.h"

struct decoder {
    AVCodecContext *codec;
    AVRational time_base; /* of the frames' pts */
    int64_t frames, errors;
};

/* threads: for frame threading; 1 for pictures and audio. ERR_UNSUPPORTED_MEDIA when there is no
 * such decoder. */
int decoder_open(struct decoder *out, const AVStream *stream, int threads, struct err *err);
void decoder_release(struct decoder *decoder);
/* Decodes one packet (NULL: the end, drains) and hands each frame to `take`, which returns -1 to
 * end it. The frame is the decoder's; its pts is best_effort_timestamp. Broken packets are counted
 * and skipped. */
int decoder_send(struct decoder *decoder, const AVPacket *packet,
                 int (*take)(void *arg, AVFrame *frame, struct err *err), void *arg,
                 struct err *err);
/* ERR_NO_FRAMES if nothing came, ERR_CORRUPT_MEDIA if more than a tenth failed. */
int decoder_verdict(const struct decoder *decoder, struct err *err);

#endif
