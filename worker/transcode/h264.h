/* Reads what a copied H.264 stream says of itself: parameter sets, and the kind of each picture. */
#ifndef WORKER_TRANSCODE_H264_H
#define WORKER_TRANSCODE_H264_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct h264_sps {
    int profile, level; /* 100 is High; 40 is level 4 */
    bool constrained;   /* constraint_set1_flag */
    int chroma;         /* chroma_format_idc: 1 is 4:2:0 */
    bool eight_bits;
    bool progressive;      /* frame_mbs_only_flag: no picture can be interlaced */
    int64_t width, height; /* as cropped */
};

/* Of an avcC box with one sequence parameter set and lengths of four bytes, which is what CMAF
 * files are made with; false for anything else. */
bool h264_read_avcc(const uint8_t *avcc, size_t len, struct h264_sps *out);

enum h264_picture {
    H264_OTHER, /* a picture that may refer to earlier ones */
    H264_IDR,   /* nothing after it refers to anything before it, nor is shown before it */
    H264_NEW,   /* with parameter sets that the avcC box does not have */
    H264_BROKEN /* not a whole picture of NAL units with lengths of four bytes */
};
/* What a sample (one picture) of that stream is; the box is one that h264_read_avcc took. */
enum h264_picture h264_picture(const uint8_t *sample, size_t len, const uint8_t *avcc,
                               size_t avcc_len);

#endif
