/* Brings decoded pictures onto one canvas: deinterlaced, upright, square pixels, one size, 8-bit
 * yuv420p. */
#ifndef WORKER_MEDIA_CANVAS_H
#define WORKER_MEDIA_CANVAS_H

#include <stdbool.h>

#include "worker/media/libav.h"

struct canvas {
    int width, height; /* of the result; even */
    int rotation;      /* as in struct probe */
    AVRational
        aspect; /* sample aspect ratio that the container tells; a frame's own comes second */
    AVRational time_base; /* of the frames' pts */
    int threads;
    /* What the graph was built for; rebuilt when a frame differs. */
    AVFilterGraph *graph;
    AVFilterContext *from, *to;
    int in_width, in_height, in_format;
    bool interlaced, direct;
};

void canvas_release(struct canvas *canvas);
/* Takes a frame (NULL: the end, drains) and hands out what is ready; frames that need no change
 * pass by reference. A picture of another shape, in the middle of the film, is fitted inside with
 * borders. */
int canvas_send(struct canvas *canvas, AVFrame *frame,
                int (*take)(void *arg, AVFrame *frame, struct err *err), void *arg,
                struct err *err);

#endif
