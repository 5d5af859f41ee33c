/* A media file opened under distrust: known containers only, no other files or addresses, bounded
 * probing. */
#ifndef WORKER_MEDIA_INPUT_H
#define WORKER_MEDIA_INPUT_H

#include <stdbool.h>

#include "worker/media/libav.h"

/* Asked whenever libav may block or loop, and from several threads; true makes every call end soon.
 */
struct watch {
    bool (*stopped)(void *arg);
    void (*progress)(void *arg, int64_t percent, const char *message);
    void *arg;
};
/* False for a watch, or a member, that is NULL. */
bool watch_stopped(const struct watch *watch);

struct input {
    AVFormatContext *format;
    AVIOContext *file;
    const struct watch *watch;
};

/* Opens and probes. Codes: ERR_UNSUPPORTED_MEDIA (no such container), ERR_CORRUPT_MEDIA (a
 * container, but broken), ERR_TOO_MANY_STREAMS, ERR_IO_ERROR. `watch` must outlive the input; it
 * may be NULL. */
int input_open(struct input **out, const char *path, const struct watch *watch, struct err *err);
void input_free(struct input *input);
/* 1: a packet, 0: the end, -1: stopped or an error that reading cannot skip. */
int input_read(struct input *input, AVPacket *packet, struct err *err);
/* ERR_CANCELLED; the caller that knows a better reason replaces it. */
int input_stopped(struct err *err);

static inline void input_free_at(struct input **input)
{
    input_free(*input);
}

#endif
