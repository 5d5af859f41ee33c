/* The tables of upload. */
#include "proto/upload.h"

const char *const storage_names[] = {NULL, "stored", "local_only", NULL};

static const struct field params[] = {
    FIELD(upload_params, visibility, .max = 16, .text = "Reserved; \"private\"."),
};
const struct doc upload_params_doc = DOC(upload_params, params);

static const struct field result[] = {
    FIELD(upload_result, storage, .names = storage_names, .text = "stored; local_only: under MEDIA_ROOT, no bucket is used."),
    FIELD(upload_result, storage_key, .text = "Object key of the source file."),
    FIELD(upload_result, playlist_key, .text = "Object key of the master playlist."),
    FIELD(upload_result, small, .text = "Object key of the small thumbnail."),
    FIELD(upload_result, medium, .text = "Object key of the medium thumbnail."),
    FIELD(upload_result, large, .text = "Object key of the large thumbnail."),
    FIELD(upload_result, files, .text = "Objects of the asset."),
    FIELD(upload_result, bytes, .text = "Bytes of the asset."),
    FIELD(upload_result, skipped, .text = "Objects that were there already and not sent again."),
};
const struct doc upload_result_doc = DOC(upload_result, result);
