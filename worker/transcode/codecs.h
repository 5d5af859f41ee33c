/* RFC 6381 codecs strings from codec configurations. */
#ifndef WORKER_TRANSCODE_CODECS_H
#define WORKER_TRANSCODE_CODECS_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum { CODECS_MAX = 32 };

/* "avc1.640028" from a sequence parameter set in Annex B form, or from an avcC box. ERR_INTERNAL:
 * none inside. */
int codecs_h264(const uint8_t *extradata, size_t len, char out[CODECS_MAX], struct err *err);
/* "mp4a.40.2" from an AudioSpecificConfig. */
int codecs_aac(const uint8_t *extradata, size_t len, char out[CODECS_MAX], struct err *err);

#endif
