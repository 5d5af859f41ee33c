/* The one picture that stands for a media file: a photo itself, a film's poster frame, a record's
 * cover. */
#ifndef WORKER_THUMBNAIL_PICTURE_H
#define WORKER_THUMBNAIL_PICTURE_H

#include "proto/download.h"
#include "worker/media/input.h"

struct picture {
    AVFrame *frame;    /* owned; at least as large as the largest thumbnail, if the source is */
    int orientation;   /* EXIF's 1 … 8, still to be applied to the frame */
    int width, height; /* of the source, as displayed */
};
struct picture_source {
    const char *path;
    enum media_class media;
    int64_t at_ms; /* of the poster frame; 0: a key frame soon after 10 % of the film or 10 s */
    const struct watch *watch;
};

int picture_load(const struct picture_source *source, struct picture *out, struct err *err);
void picture_release(struct picture *picture);

/* The size at which width x height fits into the box, never larger than it is, never 0. */
void picture_fit(int width, int height, int box_width, int box_height, int *out_width,
                 int *out_height);
/* Whether the orientation exchanges width and height. */
bool picture_turned(int orientation);

/* The parts of picture_load: poster.c and still.c. */
int picture_load_poster(const struct picture_source *source, struct picture *out, struct err *err);

#endif
