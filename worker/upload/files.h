/* What there is to upload: the files of the earlier tasks, with their keys, in the order in which they go. */
#ifndef WORKER_UPLOAD_FILES_H
#define WORKER_UPLOAD_FILES_H

#include "proto/file_path.h"
#include "worker/run.h"

struct upload_file {
    const char *path; /* in the workspace */
    const char *key;
    const struct file_kind *kind;
    int64_t size_bytes;
    const char *sha256;
    int rank; /* playlists go after what they name, the master playlist last */
    bool stored;  /* was there already, the same bytes */
    bool tracked; /* and its row says so */
    const char *etag; /* of what was there, or NULL */
    int64_t created_at; /* of its row, 0: has none yet */
};
struct upload_files {
    struct upload_file *at;
    size_t len, room;
    int64_t bytes;
};

/* The files of the tasks download, transcode and thumbnail below "<prefix>source/", "hls/" and "thumbnails/", each with
 * its SHA-256, sorted by rank. compares: bucket_compares of where they go: then the source's SHA-256 is what its download
 * said, and not read anew. Memory from the run's arena. */
int upload_files_gather(struct run *run, const char *prefix, bool compares, struct upload_files *out,
                        struct err *err);

#endif
