/* The interface over the backends: chooses one, checks what callers ask for, hands on. */
#include "common/bucket.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/bucket_backend.h"
#include "proto/file_path.h"

enum { DELETE_MAX = 1000, PRESIGN_MAX_S = 604800 };

int bucket_open(struct bucket **out, const struct bucket_settings *settings, struct err *err)
{
    enum backend backend = bucket_settings_backend(settings);
    switch (backend) {
    case BACKEND_MINIO:
    case BACKEND_S3:
    case BACKEND_R2:
        return bucket_s3_open(out, settings, err);
    case BACKEND_UNSET:
    case BACKEND_LOCAL:
    case BACKEND_NONE:
        break;
    }
    if (!settings->media_root && backend == BACKEND_NONE)
        return err_set(err, ERR_STORAGE_DISABLED, "no storage backend is configured");
    if (!settings->media_root)
        return err_set(err, ERR_CONFIG, "MEDIA_ROOT is not set");
    return bucket_local_open(out, settings->media_root, backend == BACKEND_NONE, err);
}

void bucket_free(struct bucket *bucket)
{
    if (bucket)
        bucket->ops->free(bucket);
}

void bucket_set_patience(struct bucket *bucket, int64_t call_ms)
{
    bucket->call_ms = call_ms;
}

void bucket_set_watch(struct bucket *bucket, const struct bucket_watch *watch)
{
    bucket->watch = watch;
}

const char *bucket_backend(const struct bucket *bucket)
{
    return bucket->backend;
}

bool bucket_compares(const struct bucket *bucket)
{
    return bucket->ops->compares;
}

const char *bucket_name(const struct bucket *bucket)
{
    return bucket->name;
}

static int check_key(const char *key, struct err *err)
{
    if (object_key_valid(key))
        return 0;
    return err_set(err, ERR_INTERNAL, "'%.100s' is not a valid object key", key);
}

/* What is a prefix becomes a key by adding something. */
int bucket_check_prefix(const char *prefix, bool whole, struct err *err)
{
    char key[OBJECT_KEY_MAX + 2];
    size_t len = strlen(prefix);
    if (len == 0 && whole)
        return 0;
    if (len > 0 && len < OBJECT_KEY_MAX) {
        memcpy(key, prefix, len);
        memcpy(key + len, "x", 2);
        if (object_key_valid(key))
            return 0;
    }
    return err_set(err, ERR_INTERNAL, "'%.100s' is not a prefix of object keys", prefix);
}

int bucket_first_error(const struct bucket_put *puts, size_t len, struct err *err)
{
    for (size_t i = 0; i < len; i++) {
        if (puts[i].err.code == ERR_NONE)
            continue;
        *err = puts[i].err;
        return -1;
    }
    return 0;
}

int bucket_put(struct bucket *bucket, struct bucket_put *puts, size_t len,
               const struct bucket_watch *watch, struct arena *arena, struct err *err)
{
    for (size_t i = 0; i < len; i++) {
        puts[i].err = (struct err){0};
        puts[i].etag = NULL;
        if (check_key(puts[i].key, err))
            return -1;
    }
    return len == 0 ? 0 : bucket->ops->put(bucket, puts, len, watch, arena, err);
}

int bucket_head(struct bucket *bucket, const char *key, struct arena *arena, struct object *out,
                struct err *err)
{
    if (check_key(key, err))
        return -1;
    return bucket->ops->head(bucket, key, arena, out, err);
}

int bucket_get(struct bucket *bucket, const char *key, int64_t max_bytes, struct arena *arena,
               struct text *out, struct err *err)
{
    if (check_key(key, err))
        return -1;
    return bucket->ops->get(bucket, key, max_bytes, arena, out, err);
}

int bucket_get_file(struct bucket *bucket, const char *key, int fd,
                    const struct bucket_watch *watch, struct arena *arena, struct object *out,
                    struct err *err)
{
    if (check_key(key, err))
        return -1;
    if (lseek(fd, 0, SEEK_SET) || ftruncate(fd, 0))
        return err_errno(err, errno, "empty the file for '%.200s'", key);
    return bucket->ops->get_file(bucket, key, fd, watch, arena, out, err);
}

int bucket_delete(struct bucket *bucket, const char *const *keys, size_t len, struct err *errs,
                  struct err *err)
{
    if (len > DELETE_MAX)
        return err_set(err, ERR_INTERNAL, "%zu keys to delete, more than %d", len, DELETE_MAX);
    for (size_t i = 0; i < len; i++) {
        if (errs)
            errs[i] = (struct err){0};
        if (check_key(keys[i], err))
            return -1;
    }
    return len == 0 ? 0 : bucket->ops->delete (bucket, keys, len, errs, err);
}

int bucket_list(struct bucket *bucket, const char *prefix, const char *after, size_t limit,
                struct arena *arena, struct objects *out, struct err *err)
{
    if (bucket_check_prefix(prefix, true, err))
        return -1;
    return bucket->ops->list(bucket, prefix, after, limit, arena, out, err);
}

int bucket_abort_uploads(struct bucket *bucket, const char *prefix, size_t *aborted,
                         struct err *err)
{
    size_t count = 0;
    if (bucket_check_prefix(prefix, false, err) ||
        bucket->ops->abort_uploads(bucket, prefix, &count, err))
        return -1;
    if (aborted)
        *aborted = count;
    return 0;
}

int bucket_presign(struct bucket *bucket, const char *key, int64_t expires_s, struct arena *arena,
                   const char **out, struct err *err)
{
    if (check_key(key, err))
        return -1;
    if (!bucket->ops->presign)
        return err_set(err, ERR_INTERNAL, "backend %s has no presigned URLs", bucket->backend);
    if (expires_s < 1 || expires_s > PRESIGN_MAX_S)
        return err_set(err, ERR_OUT_OF_RANGE, "a signed URL lives 1 to %d s", PRESIGN_MAX_S);
    return bucket->ops->presign(bucket, key, expires_s, arena, out, err);
}

int bucket_open_file(struct bucket *bucket, const char *key, int *fd, int64_t *size_bytes,
                     struct err *err)
{
    if (check_key(key, err))
        return -1;
    if (!bucket->ops->open_file)
        return err_set(err, ERR_INTERNAL, "backend %s has no files to open", bucket->backend);
    return bucket->ops->open_file(bucket, key, fd, size_bytes, err);
}

int bucket_probe(struct bucket *bucket, struct err *err)
{
    return bucket->ops->probe ? bucket->ops->probe(bucket, err) : 0;
}
