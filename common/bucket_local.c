/* The backends local and none: MEDIA_ROOT/<key> is the object. */
#include "common/bucket_local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "proto/file_path.h"

#define DIRECTORY_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static int open_child(int parent, const char *name, bool make)
{
    int fd = openat(parent, name, DIRECTORY_FLAGS);
    if (fd >= 0 || errno != ENOENT || !make)
        return fd;
    if (mkdirat(parent, name, 0777) == 0)
        fsync(parent); /* else the objects in it could vanish with it in a power cut */
    else if (errno != EEXIST)
        return -1;
    return openat(parent, name, DIRECTORY_FLAGS);
}

int local_parent(const struct local *local, const char *path, bool make, const char **base)
{
    int fd = openat(local->root, ".", DIRECTORY_FLAGS);
    const char *slash;
    for (; fd >= 0 && (slash = strchr(path, '/')); path = slash + 1) {
        char name[NAME_MAX + 1];
        size_t len = (size_t)(slash - path);
        int parent = fd;
        if (len > NAME_MAX) {
            close(parent);
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(name, path, len);
        name[len] = '\0';
        fd = open_child(parent, name, make);
        int number = errno;
        close(parent);
        errno = number;
    }
    *base = path;
    return fd;
}

void local_object(const char *key, const struct stat *file, struct arena *arena, struct object *out)
{
    const struct file_kind *kind = file_kind(key);
    int64_t nanos = (int64_t)file->st_mtim.tv_sec * 1000000000 + file->st_mtim.tv_nsec;
    *out = (struct object){
        .key = arena_strdup(arena, key),
        .size_bytes = file->st_size,
        .modified_at = nanos / 1000000,
        .etag = arena_printf(arena, "%llx-%llx", (unsigned long long)file->st_size,
                             (unsigned long long)nanos),
        .content_type = kind->content_type,
        .cache_control = kind->cache_control,
        .sha256 = "",
    };
}

/* A missing directory, a file where a directory should be and a symbolic link all mean: no such
 * object. */
static bool means_absent(int number)
{
    return number == ENOENT || number == ENOTDIR || number == ELOOP || number == ENAMETOOLONG;
}

static int fail(struct err *err, int number, const char *what, const char *key)
{
    if (means_absent(number))
        return err_set(err, ERR_OBJECT_NOT_FOUND, "no object '%.200s'", key);
    return err_errno(err, number, "%s '%.200s'", what, key);
}

static bool is_reserved(const char *key)
{
    static const size_t len = sizeof LOCAL_TEMPORARY - 1;
    return strncmp(key, LOCAL_TEMPORARY, len) == 0 && (key[len] == '/' || key[len] == '\0');
}

static int local_open_file(struct bucket *bucket, const char *key, int *fd, int64_t *size_bytes,
                           struct err *err)
{
    struct local *local = (struct local *)bucket;
    const char *base;
    struct stat file;
    CLEANUP(close_at) int parent = local_parent(local, key, false, &base);
    if (parent < 0)
        return fail(err, errno, "open", key);
    CLEANUP(close_at)
    int opened = openat(parent, base, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (opened < 0 || fstat(opened, &file))
        return fail(err, errno, "open", key);
    if (!S_ISREG(file.st_mode) || is_reserved(key))
        return fail(err, ENOENT, "open", key);
    *fd = opened;
    *size_bytes = file.st_size;
    opened = -1;
    return 0;
}

static int local_head(struct bucket *bucket, const char *key, struct arena *arena,
                      struct object *out, struct err *err)
{
    CLEANUP(close_at) int fd = -1;
    int64_t size_bytes;
    struct stat file;
    if (local_open_file(bucket, key, &fd, &size_bytes, err))
        return -1;
    if (fstat(fd, &file))
        return fail(err, errno, "look at", key);
    local_object(key, &file, arena, out);
    return 0;
}

static int local_get(struct bucket *bucket, const char *key, int64_t max_bytes, struct arena *arena,
                     struct text *out, struct err *err)
{
    CLEANUP(close_at) int fd = -1;
    int64_t left;
    char piece[16384];
    if (local_open_file(bucket, key, &fd, &left, err))
        return -1;
    if (left > max_bytes)
        return err_set(err, ERR_OBJECT_TOO_LARGE, "'%.200s' has more than %lld bytes", key,
                       (long long)max_bytes);
    *out = (struct text){.arena = arena};
    text_puts(out, "");
    while (left > 0) {
        ssize_t got = read(fd, piece, (int64_t)sizeof piece < left ? sizeof piece : (size_t)left);
        if (got <= 0)
            return err_errno(err, got < 0 ? errno : EIO, "read '%.200s'", key);
        text_add(out, piece, (size_t)got);
        left -= got;
    }
    return 0;
}

static int local_get_file(struct bucket *bucket, const char *key, int fd,
                          const struct bucket_watch *watch, struct arena *arena, struct object *out,
                          struct err *err)
{
    enum { PIECE = 8 << 20 };
    CLEANUP(close_at) int from = -1;
    struct stat file;
    int64_t left;
    if (local_open_file(bucket, key, &from, &left, err))
        return -1;
    if (fstat(from, &file))
        return err_errno(err, errno, "read '%.200s'", key);
    while (left > 0) {
        if (watch && watch->stopped && watch->stopped(watch->arg))
            return err_set(err, ERR_CANCELLED, "reading was stopped");
        ssize_t copied = local_copy_piece(from, fd, left < PIECE ? (size_t)left : PIECE);
        if (copied < 0)
            return err_errno(err, errno, "copy '%.200s'", key);
        if (copied == 0)
            return err_set(err, ERR_STORAGE_MISMATCH, "'%.200s' became shorter", key);
        if (watch && watch->sent)
            watch->sent(watch->arg, copied);
        left -= copied;
    }
    local_object(key, &file, arena, out);
    return 0;
}

/* Directories that have become empty go, up to the root. */
static void prune(const struct local *local, const char *key)
{
    char path[OBJECT_KEY_MAX + 1];
    snprintf(path, sizeof path, "%s", key);
    for (char *slash; (slash = strrchr(path, '/'));) {
        const char *base;
        *slash = '\0';
        CLEANUP(close_at) int parent = local_parent(local, path, false, &base);
        if (parent < 0 || unlinkat(parent, base, AT_REMOVEDIR))
            return;
    }
}

static int delete_one(const struct local *local, const char *key, struct err *err)
{
    const char *base;
    if (is_reserved(key))
        return 0;
    CLEANUP(close_at) int parent = local_parent(local, key, false, &base);
    if (parent < 0 || unlinkat(parent, base, 0))
        return means_absent(errno) ? 0 : err_errno(err, errno, "delete '%.200s'", key);
    prune(local, key);
    return 0;
}

static int local_delete(struct bucket *bucket, const char *const *keys, size_t len,
                        struct err *errs, struct err *err)
{
    int result = 0;
    for (size_t i = 0; i < len; i++) {
        struct err own = {0};
        if (delete_one((struct local *)bucket, keys[i], &own) && result == 0) {
            *err = own;
            result = -1;
        }
        if (errs)
            errs[i] = own;
    }
    return result;
}

static void local_free(struct bucket *bucket)
{
    struct local *local = (struct local *)bucket;
    if (local->root >= 0)
        close(local->root);
    if (local->temporary >= 0)
        close(local->temporary);
    arena_release(&bucket->arena);
    free(local);
}

static const struct bucket_ops local_ops = {
    .put = local_put,
    .head = local_head,
    .get = local_get,
    .get_file = local_get_file,
    .delete = local_delete,
    .list = local_list,
    .abort_uploads = local_abort_uploads,
    .list_uploads = local_list_uploads,
    .abort_upload = local_abort_upload,
    .open_file = local_open_file,
    .free = local_free,
};

static void local_free_at(struct local **local)
{
    if (*local)
        local_free(&(*local)->bucket);
}

int bucket_local_open(struct bucket **out, const char *root, bool own, struct err *err)
{
    CLEANUP(local_free_at) struct local *local = calloc(1, sizeof *local);
    if (!local)
        abort();
    local->bucket.ops = &local_ops;
    local->own = own;
    local->bucket.backend = backend_names[own ? BACKEND_NONE : BACKEND_LOCAL];
    local->bucket.name = arena_strdup(&local->bucket.arena, root);
    local->temporary = -1;
    if (mkdir(root, 0777) && errno != EEXIST && errno != EROFS)
        return local->root = -1, err_errno(err, errno, "make MEDIA_ROOT '%.200s'", root);
    local->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (local->root < 0)
        return err_errno(err, errno, "open MEDIA_ROOT '%.200s'", root);
    local->temporary = open_child(local->root, LOCAL_TEMPORARY, true);
    if (local->temporary < 0 && errno != EACCES && errno != EROFS) /* readers may not write */
        return err_errno(err, errno, "open MEDIA_ROOT '%.200s'", root);
    *out = &TAKE(local)->bucket;
    return 0;
}
