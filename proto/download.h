/* download: a URL becomes a file in the workspace. */
#ifndef PROTO_DOWNLOAD_H
#define PROTO_DOWNLOAD_H

#include "proto/doc.h"

enum { SOURCE_URL_MAX = 8192 };

/* What magic bytes say a file is. */
enum media_class { MEDIA_NONE, MEDIA_VIDEO, MEDIA_AUDIO, MEDIA_IMAGE };
extern const char *const media_class_names[];

struct download_params {
    const char *url;
};
struct download_result {
    const char *file; /* in the run's directory: "source.<extension by magic bytes>" */
    int64_t size_bytes;
    const char *content_type; /* by magic bytes, never as the server said */
    enum media_class media;
    const char *sha256, *etag, *final_url;
    int64_t resumed; /* how often a cut transfer was continued */
};
extern const struct doc download_params_doc, download_result_doc;

#endif
