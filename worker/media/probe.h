/* What a media file is: its best video and audio stream, how the picture is to be displayed, how
 * long it takes. */
#ifndef WORKER_MEDIA_PROBE_H
#define WORKER_MEDIA_PROBE_H

#include "worker/media/input.h"

struct probe {
    int video,
        audio; /* stream indexes; -1: there is none. A cover picture is not a video stream. */
    int cover; /* stream index of an attached picture, or -1 */
    int width, height; /* as displayed: rotation and sample aspect ratio applied */
    int rotation;    /* 0, 90, 180, 270: degrees clockwise that bring the decoded picture upright */
    AVRational rate; /* frames a second as the file tells, {0, 1} if it does not */
    AVRational
        base_rate; /* r_frame_rate: what every timestamp is a multiple of, as far as was probed */
    int64_t start_us;    /* of the earlier of the two streams */
    int64_t duration_us; /* of the longer one; 0: unknown */
    char language[12];   /* of the audio stream, "und" if not told */
};

/* Codes: ERR_ENCRYPTED_MEDIA, ERR_DIMENSIONS_TOO_LARGE, ERR_DURATION_TOO_LONG, ERR_NO_VIDEO_STREAM
 * (nothing usable). */
int probe_input(const struct input *input, struct probe *out, struct err *err);

/* Size at which a decoded picture is displayed: square pixels (a mad aspect ratio is ignored), then
 * turned. */
void probe_display_size(int width, int height, AVRational aspect, int rotation, int *display_width,
                        int *display_height);

enum { PROBE_DURATION_MAX_S = 6 * 3600 };

#endif
