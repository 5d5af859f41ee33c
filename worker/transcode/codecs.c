/* Reads profile, compatibility and level where the encoder wrote them; nothing is guessed. */
#include "worker/transcode/codecs.h"

#include <stdio.h>

enum { NAL_SPS = 7, AUDIO_ESCAPE = 31 };

int codecs_h264(const uint8_t *extradata, size_t len, char out[CODECS_MAX], struct err *err)
{
    const uint8_t *profile = NULL;
    if (len >= 4 && extradata[0] == 1)
        profile = extradata + 1;
    for (size_t i = 0; !profile && i + 6 < len; i++)
        if (extradata[i] == 0 && extradata[i + 1] == 0 && extradata[i + 2] == 1 &&
            (extradata[i + 3] & 31) == NAL_SPS)
            profile = extradata + i + 4;
    if (!profile)
        return err_set(err, ERR_INTERNAL, "the encoder gave no sequence parameter set");
    snprintf(out, CODECS_MAX, "avc1.%02x%02x%02x", profile[0], profile[1], profile[2]);
    return 0;
}

int codecs_aac(const uint8_t *extradata, size_t len, char out[CODECS_MAX], struct err *err)
{
    int type = len >= 2 ? extradata[0] >> 3 : 0;
    if (type == AUDIO_ESCAPE)
        type = 32 + ((extradata[0] & 7) << 3 | extradata[1] >> 5);
    if (type == 0)
        return err_set(err, ERR_INTERNAL, "the encoder gave no audio configuration");
    snprintf(out, CODECS_MAX, "mp4a.40.%d", type);
    return 0;
}
