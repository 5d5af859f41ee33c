/* Scales yuv420p pictures from one size to another, into pooled memory. */
#ifndef WORKER_TRANSCODE_SCALER_H
#define WORKER_TRANSCODE_SCALER_H

#include "worker/media/libav.h"

struct SwsContext;
struct scaler {
    int width, height;
    struct SwsContext *sws;
    AVBufferPool *pool;
};

void scaler_release(struct scaler *scaler);
/* A new frame of scaler's size with the source's times and colours; the same frame again if it has
 * that size already. The caller's. All frames given to one scaler have the same size. */
int scaler_scale(struct scaler *scaler, const AVFrame *from, AVFrame **out, struct err *err);

#endif
