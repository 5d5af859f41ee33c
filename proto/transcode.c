/* The tables of transcode. */
#include "proto/transcode.h"

const char *const renditions_names[] = {NULL, "ladder", "source", "encoded", NULL};

static const struct field params[] = {
    FIELD(transcode_params, segment_s, .min = 1, .max = 20, .text = "Target duration of a segment; default 6 s."),
    FIELD(transcode_params, gop_s, .min = 1, .max = 10, .text = "Distance of key frames; default 2 s."),
    FIELD(transcode_params, renditions, .names = renditions_names, .text = "Which renditions are made; default ladder."),
};
const struct doc transcode_params_doc = DOC(transcode_params, params);

static const struct field rendition[] = {
    FIELD(rendition, name, .text = "Name of the rendition."),
    FIELD(rendition, playlist, .text = "Its playlist, relative to the asset."),
    FIELD(rendition, width, .text = "Width in pixels."),
    FIELD(rendition, height, .text = "Height in pixels."),
    FIELD(rendition, segments, .text = "Number of media segments."),
    FIELD(rendition, peak_bps, .text = "Measured peak bit rate, any segment."),
    FIELD(rendition, average_bps, .text = "Measured average bit rate."),
    FIELD(rendition, frame_rate, .text = "Frames a second."),
    FIELD(rendition, duration_s, .text = "Sum of its segments' durations."),
    FIELD(rendition, codecs, .text = "RFC 6381 codecs string."),
    FIELD(rendition, copied, .text = "Whether it is made of the source's own packets, not encoded."),
};
const struct doc rendition_doc = DOC(rendition, rendition);

static const struct field result[] = {
    FIELD(transcode_result, playlist, .text = "Master playlist, relative to the asset."),
    FIELD(transcode_result, duration_s, .text = "Duration of the asset."),
    FIELD(transcode_result, width, .text = "Width as displayed."),
    FIELD(transcode_result, height, .text = "Height as displayed."),
    FIELD(transcode_result, files, .text = "Number of files written."),
    FIELD(transcode_result, bytes, .text = "Bytes written."),
    FIELD_DOCS(transcode_result, renditions, rendition, .text = "The renditions, best first."),
};
const struct doc transcode_result_doc = DOC(transcode_result, result);
