/* One video rendition: a thread that scales, encodes and cuts what its queue brings. */
#ifndef WORKER_TRANSCODE_VIDEO_H
#define WORKER_TRANSCODE_VIDEO_H

#include <stdatomic.h>

#include "worker/media/input.h"
#include "worker/transcode/ladder.h"
#include "worker/transcode/queue.h"
#include "worker/transcode/scaler.h"
#include "worker/transcode/segmenter.h"

/* How much later a picture is shown than decoded, because of B-frames. */
enum { VIDEO_DELAY_FRAMES = 2 };

struct video {
    /* Set before video_start. */
    struct rung rung;
    AVRational rate;
    const struct grid *grid; /* which frames are key frames, and begin segments */
    bool copied;             /* no thread: copy.c writes it; `encoder` only tells the parameters */
    int threads;             /* of the encoder */
    const char *dir;
    const int64_t *start_us; /* of the first picture, at least the delay; read when it has come */
    const struct watch *watch;
    struct fan fan; /* queues of the renditions that are scaled from this one's pictures */
    /* Frames: yuv420p, pts = index from 0 without gaps. */
    struct queue queue;
    struct scaler scaler;
    AVCodecContext *encoder;
    struct segmenter segmenter;
    int64_t frames;
    pthread_t thread;
    bool started;
    struct err err; /* ERR_NONE: it went well; valid after video_join */
};

/* Starts the thread. Nothing else but `queue` may be touched until video_join. */
int video_start(struct video *video, struct err *err);
void video_join(struct video *video);
/* After video_join, or if it never started. */
void video_release(struct video *video);

#endif
