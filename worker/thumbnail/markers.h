/* What the head of a JPEG file says, before anything is decoded. */
#ifndef WORKER_THUMBNAIL_MARKERS_H
#define WORKER_THUMBNAIL_MARKERS_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum { MARKERS_SIDE_MAX = 65500, MARKERS_PIXELS_MAX = 100 * 1000 * 1000 };

struct markers {
    int width, height;
    int orientation; /* 1 … 8 */
};

/* Codes: ERR_UNSUPPORTED_IMAGE (not a JPEG: the detail tells what it is; 12 bits, arithmetic,
 * lossless), ERR_CORRUPT_IMAGE, ERR_DIMENSIONS_TOO_LARGE. */
int markers_read(const uint8_t *bytes, size_t len, struct markers *out, struct err *err);

#endif
