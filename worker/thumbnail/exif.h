/* The orientation of a photo, out of its EXIF block: bytes from outside, read with care. */
#ifndef WORKER_THUMBNAIL_EXIF_H
#define WORKER_THUMBNAIL_EXIF_H

#include <stddef.h>
#include <stdint.h>

/* `bytes`: the contents of an APP1 segment, "Exif\0\0" first. 1 … 8 as the standard counts; 1
 * (upright) for anything that is missing, malformed or out of range. */
int exif_orientation(const uint8_t *bytes, size_t len);

#endif
