/* Looks into a movie fragment (moof + mdat) that our own muxer wrote. */
#ifndef WORKER_TRANSCODE_FRAGMENT_H
#define WORKER_TRANSCODE_FRAGMENT_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* Where its first sample ends and where its moof starts, as offsets into the fragment: the byte
 * range of a key frame. */
struct fragment_range {
    size_t start, end;
};
int fragment_first_sample(const uint8_t *bytes, size_t len, struct fragment_range *out,
                          struct err *err);

#endif
