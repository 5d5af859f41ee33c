/* The stages of one running pipeline, shared by what runs them (pipeline.c) and what sums them up
 * (asset.c). */
#ifndef WORKER_TRANSCODE_STAGES_H
#define WORKER_TRANSCODE_STAGES_H

#include "worker/media/canvas.h"
#include "worker/media/decoder.h"
#include "worker/media/probe.h"
#include "worker/transcode/cadence.h"
#include "worker/transcode/copy.h"
#include "worker/transcode/pipeline.h"
#include "worker/transcode/sound.h"
#include "worker/transcode/video.h"

struct stages {
    const struct pipeline_job *job;
    struct arena *arena;
    int cores;
    struct input *input;
    struct probe probe;
    struct ladder ladder; /* len 0: no video */
    AVRational rate;
    struct grid grid;
    struct copy copy;
    int encoded_from; /* the first rendition that is encoded: 1 if the first one is copied */
    double segment_s; /* exactly a number of frames */
    struct decoder picture_decoder, sound_decoder;
    struct canvas canvas;
    struct cadence cadence;
    AVFrame *last;         /* the latest picture, in case it has to be repeated */
    int64_t last_duration; /* in the stream's time base, 0: not told */
    int64_t frames;        /* pushed so far: the next one's index */
    int64_t delay_us;      /* what every time is shifted by, so that no decoding time is negative; 0
                              without video */
    int64_t start_us;      /* of the first picture, the shift included */
    int64_t percent;
    struct video videos[LADDER_MAX];
    struct fan fan; /* queues of the renditions that are scaled from the source's pictures */
    struct sound sound;
};

#endif
