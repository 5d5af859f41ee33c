/* Inside common/bucket: objects as files under a directory. Nobody but bucket_local*.c includes
 * this. */
#ifndef COMMON_BUCKET_LOCAL_H
#define COMMON_BUCKET_LOCAL_H

#include <sys/stat.h>
#include <sys/types.h>

#include "common/bucket_backend.h"

/* Unfinished files; no key may begin with it. */
#define LOCAL_TEMPORARY ".tmp"

struct local {
    struct bucket bucket;
    int root, temporary; /* directories */
    bool own; /* a file to store is ours: linked, where the file system is the same */
};

/* Opens the directory that holds `path`'s last component (`base` points at it), making it if asked.
 * Walks one component at a time and follows no symbolic link. Returns the descriptor, or -1 with
 * errno. */
int local_parent(const struct local *local, const char *path, bool make, const char **base);
/* What the file's inode says of the object; strings in the arena. */
void local_object(const char *key, const struct stat *file, struct arena *arena,
                  struct object *out);

int local_put(struct bucket *bucket, struct bucket_put *puts, size_t len,
              const struct bucket_watch *watch, struct arena *arena, struct err *err);
/* Removes unfinished files whose writer is gone. */
int local_abort_uploads(struct bucket *bucket, const char *prefix, size_t *aborted,
                        struct err *err);
int local_list_uploads(struct bucket *bucket, const char *prefix, const struct upload *after,
                       size_t limit, struct arena *arena, struct uploads *out, struct err *err);
int local_abort_upload(struct bucket *bucket, const struct upload *upload, bool *aborted,
                       struct err *err);
/* One step of a copy between files; several say how far it came. As copy_file_range. */
ssize_t local_copy_piece(int from, int to, size_t len);
int local_list(struct bucket *bucket, const char *prefix, const char *after, size_t limit,
               struct arena *arena, struct objects *out, struct err *err);

#endif
