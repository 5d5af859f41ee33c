/* A picture becomes small.jpg, medium.jpg and large.jpg. */
#ifndef WORKER_THUMBNAIL_SIZES_H
#define WORKER_THUMBNAIL_SIZES_H

#include "common/arena.h"
#include "proto/thumbnail.h"
#include "worker/thumbnail/picture.h"

/* Each size is made from the next larger one, turned upright, and written into `dir`. *bytes: of
 * all files. */
int sizes_write(const struct picture *picture, const char *dir, struct arena *arena,
                struct thumbnail_result *out, int64_t *bytes, struct err *err);

#endif
