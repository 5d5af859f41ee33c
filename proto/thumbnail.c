/* The tables of thumbnail. */
#include "proto/thumbnail.h"

const struct thumbnail_size thumbnail_sizes[] = {{"large", 800, 600}, {"medium", 300, 300}, {"small", 150, 150}};
const size_t thumbnail_sizes_len = sizeof thumbnail_sizes / sizeof thumbnail_sizes[0];

static const struct field params[] = {
    FIELD(thumbnail_params, at_ms, .max = 86400000, .text = "Position of the poster frame, in ms."),
};
const struct doc thumbnail_params_doc = DOC(thumbnail_params, params);

static const struct field result[] = {
    FIELD(thumbnail_result, small, .text = "File that fits into 150x150."),
    FIELD(thumbnail_result, medium, .text = "File that fits into 300x300."),
    FIELD(thumbnail_result, large, .text = "File that fits into 800x600."),
    FIELD(thumbnail_result, width, .text = "Width of the source, as displayed."),
    FIELD(thumbnail_result, height, .text = "Height of the source, as displayed."),
    FIELD(thumbnail_result, bytes, .text = "Size of the files."),
};
const struct doc thumbnail_result_doc = DOC(thumbnail_result, result);
