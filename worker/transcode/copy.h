/* The source's own packets as a rendition: decided by reading the whole file once, before anything
 * is decoded, and checked again while they are written. */
#ifndef WORKER_TRANSCODE_COPY_H
#define WORKER_TRANSCODE_COPY_H

#include "worker/media/input.h"
#include "worker/transcode/copyable.h"
#include "worker/transcode/h264.h"

struct stages;

struct copy {
    bool pictures, sounds;   /* what is copied; sound only beside pictures */
    const char *why;         /* the pictures are encoded; NULL: they are copied */
    struct copyable picture; /* what the first reading found */
    struct copyable again;   /* what the second one does */
    struct copyable_sound sound;
    int64_t fragment; /* frame with which the latest one began */
    bool refuted;     /* the second reading found something else: all must be encoded */
};

/* Decides. Reads the input to its end if that is worth it, and opens it anew. Needs the stages'
 * input, probe, rate and ladder; the first rung is the copied one. -1 when stopped. */
int copy_plan(struct stages *stages, struct err *err);
/* Before the first packet: opens what will be copied. */
int copy_open_pictures(struct stages *stages, struct err *err);
/* Writes a packet of the streams that are copied, and leaves others alone. Takes the packet's
 * contents. */
int copy_write(struct stages *stages, AVPacket *packet, struct err *err);
/* After the last packet. */
int copy_finish(struct stages *stages, struct err *err);
/* -1, and remembers that the source is not what it seemed. */
int copy_refute(struct stages *stages, const char *why, struct err *err);
void copy_release(struct copy *copy);

#endif
