/* Copying objects from one backend to another, verified by size and SHA-256 on both sides. */
#ifndef WORKER_STORAGE_COPY_H
#define WORKER_STORAGE_COPY_H

#include "common/bucket.h"
#include "proto/file_path.h"
#include "worker/storage/throttle.h"

enum { COPY_MAX = 32 };

/* One object: `from` is its row there, `to` the row that it gets here. */
struct copy {
    struct file_path from, to;
    struct err err; /* ERR_NONE: it is there, whole; to.etag, to.sha256, to.size_bytes tell of it */
};

struct copier {
    struct run *run;
    struct bucket *from, *to;
    struct throttle reading, writing;
    struct arena arena; /* of one batch */
};

/* Whether the backend keeps objects as files, which nobody reads but the gateway. */
bool copy_from_files(const struct bucket *bucket);
/* ERR_CONFIG if what is put into one of them shows in the other: a source that is its own copy must not be deleted. */
int copy_check(struct copier *copier, struct err *err);
/* Each with its own verdict; -1: stopped, or nothing is known of any. What does not lie in a file goes through one of the
 * workspace. */
int copy_all(struct copier *copier, struct copy *copies, size_t len, struct err *err);

#endif
