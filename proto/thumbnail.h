/* thumbnail: a picture out of a media file, as JPEG in three sizes. */
#ifndef PROTO_THUMBNAIL_H
#define PROTO_THUMBNAIL_H

#include "proto/doc.h"

struct thumbnail_size {
    const char *name; /* "small": file "small.jpg" */
    int width, height; /* the picture fits inside, never upscaled */
};
extern const struct thumbnail_size thumbnail_sizes[]; /* small 150x150, medium 300x300, large 800x600 */
extern const size_t thumbnail_sizes_len;

struct thumbnail_params {
    int64_t at_ms; /* position of the poster frame; 0: a key frame soon after 10 % or 10 s */
};
struct thumbnail_result {
    const char *small, *medium, *large; /* file names in the run's directory */
    int64_t width, height;              /* of the source, as displayed */
    int64_t bytes;                      /* of the three files */
};
extern const struct doc thumbnail_params_doc, thumbnail_result_doc;

#endif
