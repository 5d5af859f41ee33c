/* The tables of download. */
#include "proto/download.h"

const char *const media_class_names[] = {NULL, "video", "audio", "image", NULL};

static const struct field params[] = {
    FIELD(download_params, url, .flags = FIELD_REQUIRED, .max = SOURCE_URL_MAX, .text = "The source's address."),
};
const struct doc download_params_doc = DOC(download_params, params);

static const struct field result[] = {
    FIELD(download_result, file, .flags = FIELD_REQUIRED, .text = "Name of the file in the run's directory."),
    FIELD(download_result, size_bytes, .text = "Size of the file."),
    FIELD(download_result, content_type, .text = "Type found by magic bytes."),
    FIELD(download_result, media, .names = media_class_names, .text = "video, audio or image."),
    FIELD(download_result, sha256, .text = "SHA-256 of the file, hex."),
    FIELD(download_result, etag, .text = "ETag that the source gave."),
    FIELD(download_result, final_url, .text = "Address after redirects, without its query."),
    FIELD(download_result, resumed, .text = "How often a cut transfer was continued."),
};
const struct doc download_result_doc = DOC(download_result, result);
