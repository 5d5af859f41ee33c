/* The one door to TurboJPEG: bytes to a picture of planes, and back. */
#ifndef WORKER_THUMBNAIL_JPEG_H
#define WORKER_THUMBNAIL_JPEG_H

#include <stddef.h>
#include <stdint.h>

#include "worker/media/libav.h"

/* Decodes at the smallest of 1/8, 1/4, 1/2 and 1/1 that is at least min_width x min_height. The
 * frame is the caller's: planar YUV of full range, grey, or RGB where the file has four or RGB
 * components. ERR_CORRUPT_IMAGE, ERR_TOO_MANY_SCANS, ERR_UNSUPPORTED_IMAGE. The caller has checked
 * the dimensions (markers.h). */
int jpeg_decode(const uint8_t *bytes, size_t len, int min_width, int min_height, AVFrame **out,
                struct err *err);

/* Encodes a YUVJ420P frame. `out` is freed with jpeg_bytes_free. */
int jpeg_encode(const AVFrame *frame, int quality, uint8_t **out, size_t *len, struct err *err);
void jpeg_bytes_free(uint8_t **bytes);

#endif
