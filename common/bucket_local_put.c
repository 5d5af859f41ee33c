/* Storing files locally: a copy beside, made durable, that appears by rename. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sendfile.h>

#include "common/bucket_local.h"
#include "common/cleanup.h"
#include "common/id.h"

enum { NAME_LEN = 32, COPY_BYTES = 8 << 20, RENAME_TRIES = 3 };

ssize_t local_copy_piece(int from, int to, size_t len)
{
    ssize_t copied = copy_file_range(from, NULL, to, NULL, len, 0);
    if (copied >= 0 ||
        (errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP))
        return copied;
    return sendfile(to, from, NULL, len); /* across file systems */
}

static int copy(int from, int to, const struct bucket_put *put, const struct bucket_watch *watch,
                struct err *err)
{
    for (int64_t left = put->size_bytes; left > 0;) {
        if (watch && watch->stopped && watch->stopped(watch->arg))
            return err_set(err, ERR_CANCELLED, "storing was stopped");
        ssize_t copied = local_copy_piece(from, to, left < COPY_BYTES ? (size_t)left : COPY_BYTES);
        if (copied < 0)
            return err_errno(err, errno, "store '%.200s'", put->key);
        if (copied == 0)
            return err_set(err, ERR_STORAGE_MISMATCH, "the file of '%.200s' became shorter",
                           put->key);
        if (watch && watch->sent)
            watch->sent(watch->arg, copied);
        left -= copied;
    }
    return 0;
}

static int open_source(const struct bucket_put *put, int *fd, struct err *err)
{
    struct stat file;
    *fd = open(put->path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0 || fstat(*fd, &file))
        return err_errno(err, errno, "open the file of '%.200s'", put->key);
    if (!S_ISREG(file.st_mode) || file.st_size != put->size_bytes)
        return err_set(err, ERR_STORAGE_MISMATCH, "the file of '%.200s' has not %lld bytes",
                       put->key, (long long)put->size_bytes);
    return 0;
}

/* Deleting a neighbour may prune the directory between its opening and the rename: then it is made
 * again. */
static int publish(const struct local *local, const char *name, const char *key, struct err *err)
{
    for (int i = 0; i < RENAME_TRIES; i++) {
        const char *base;
        CLEANUP(close_at) int parent = local_parent(local, key, true, &base);
        if (parent >= 0 && renameat(local->temporary, name, parent, base) == 0)
            return fsync(parent) ? err_errno(err, errno, "store '%.200s'", key) : 0;
        if (errno != ENOENT)
            break;
    }
    return err_errno(err, errno, "store '%.200s'", key);
}

/* The lock says that somebody is at work on the file: local_abort_uploads leaves it alone. */
static int fill_temporary(int from, int to, struct bucket_put *put,
                          const struct bucket_watch *watch, struct arena *arena, struct err *err)
{
    struct stat file;
    struct object object;
    if (flock(to, LOCK_EX | LOCK_NB))
        return err_errno(err, errno, "store '%.200s'", put->key);
    if (copy(from, to, put, watch, err))
        return -1;
    if (fsync(to) || fstat(to, &file))
        return err_errno(err, errno, "store '%.200s'", put->key);
    if (file.st_size != put->size_bytes)
        return err_set(err, ERR_STORAGE_MISMATCH, "'%.200s' was stored with another size",
                       put->key);
    local_object(put->key, &file, arena, &object);
    put->etag = object.etag;
    return 0;
}

/* The file itself under another name, instead of a copy: its directory in the workspace is removed
 * later, and a run that dies before that finds it there again. 1: it cannot be done so. */
static int link_temporary(const struct local *local, int from, const char *name,
                          struct bucket_put *put, const struct bucket_watch *watch,
                          struct arena *arena, struct err *err)
{
    struct stat source, file;
    struct object object;
    if (flock(from, LOCK_EX | LOCK_NB) || linkat(AT_FDCWD, put->path, local->temporary, name, 0))
        return 1;
    if (fstat(from, &source) || fstatat(local->temporary, name, &file, AT_SYMLINK_NOFOLLOW) ||
        source.st_ino != file.st_ino || source.st_dev != file.st_dev) {
        unlinkat(local->temporary, name, 0);
        return 1;
    }
    if (fsync(from))
        return err_errno(err, errno, "store '%.200s'", put->key);
    if (watch && watch->sent)
        watch->sent(watch->arg, put->size_bytes);
    local_object(put->key, &file, arena, &object);
    put->etag = object.etag;
    return 0;
}

static int copy_temporary(const struct local *local, int from, const char *name,
                          struct bucket_put *put, const struct bucket_watch *watch,
                          struct arena *arena, struct err *err)
{
    CLEANUP(close_at)
    int to = openat(local->temporary, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (to < 0)
        return err_errno(err, errno, "store '%.200s'", put->key);
    return fill_temporary(from, to, put, watch, arena, err);
}

static int put_one(const struct local *local, struct bucket_put *put,
                   const struct bucket_watch *watch, struct arena *arena, struct err *err)
{
    char name[NAME_LEN + 1];
    CLEANUP(close_at) int from = -1;
    if (strncmp(put->key, LOCAL_TEMPORARY "/", sizeof LOCAL_TEMPORARY) == 0)
        return err_set(err, ERR_INTERNAL, "keys must not begin with " LOCAL_TEMPORARY);
    if (open_source(put, &from, err))
        return -1;
    id_hex(name, NAME_LEN);
    int failed = local->own ? link_temporary(local, from, name, put, watch, arena, err) : 1;
    if (failed > 0)
        failed = copy_temporary(local, from, name, put, watch, arena, err);
    if (failed == 0)
        failed = publish(local, name, put->key, err);
    /* Also after success: renaming a file onto another name of itself leaves both. */
    if (failed || local->own)
        unlinkat(local->temporary, name, 0);
    return failed;
}

int local_put(struct bucket *bucket, struct bucket_put *puts, size_t len,
              const struct bucket_watch *watch, struct arena *arena, struct err *err)
{
    for (size_t i = 0; i < len; i++)
        put_one((struct local *)bucket, &puts[i], watch, arena, &puts[i].err);
    return bucket_first_error(puts, len, err);
}
