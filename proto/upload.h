/* upload: what the earlier tasks left in the workspace goes to the bucket, tracked row by row. */
#ifndef PROTO_UPLOAD_H
#define PROTO_UPLOAD_H

#include "proto/doc.h"

enum storage { STORAGE_NONE, STORAGE_STORED, STORAGE_LOCAL_ONLY };
extern const char *const storage_names[]; /* "stored", "local_only" */

struct upload_params {
    const char *visibility; /* nothing yet but "private" */
};
struct upload_result {
    enum storage storage;
    const char *storage_key;  /* of the source file */
    const char *playlist_key; /* of the master playlist */
    const char *small, *medium, *large; /* keys of the thumbnails */
    int64_t files, bytes, skipped;      /* skipped: were there already */
};
extern const struct doc upload_params_doc, upload_result_doc;

#endif
