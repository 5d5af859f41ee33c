/* The interface over the backends: chooses one, checks what callers ask for, hands on. */
#include "common/bucket.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "common/bucket_backend.h"
#include "common/cleanup.h"
#include "common/id.h"
#include "proto/file_path.h"

enum { DELETE_MAX = 1000, PRESIGN_MAX_S = 604800 };

int bucket_open(struct bucket **out, const struct bucket_settings *settings, struct err *err)
{
    switch (bucket_settings_backend(settings)) {
    case BACKEND_NONE:
        return err_set(err, ERR_STORAGE_DISABLED, "no storage backend is configured");
    case BACKEND_MINIO:
    case BACKEND_S3:
    case BACKEND_R2:
        return bucket_s3_open(out, settings, err);
    case BACKEND_UNSET:
    case BACKEND_LOCAL:
        break;
    }
    if (!settings->media_root)
        return err_set(err, ERR_CONFIG, "MEDIA_ROOT is not set");
    return bucket_local_open(out, settings->media_root, err);
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

/* What is a prefix becomes a key by adding something; an empty one would mean the whole bucket. */
static int check_prefix(const char *prefix, struct err *err)
{
    char key[OBJECT_KEY_MAX + 2];
    size_t len = strlen(prefix);
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
    if (check_prefix(prefix, err))
        return -1;
    return bucket->ops->list(bucket, prefix, after, limit, arena, out, err);
}

int bucket_abort_uploads(struct bucket *bucket, const char *prefix, size_t *aborted,
                         struct err *err)
{
    size_t count = 0;
    if (check_prefix(prefix, err) || bucket->ops->abort_uploads(bucket, prefix, &count, err))
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

/* The check's file, without a directory that would have to be configured. */
static int make_probe(const char *content, size_t len, int *fd, struct err *err)
{
    *fd = memfd_create("bucket-check", MFD_CLOEXEC);
    if (*fd < 0)
        return err_errno(err, errno, "make a file to store");
    if (write(*fd, content, len) != (ssize_t)len)
        return err_errno(err, EIO, "write the file to store");
    return 0;
}

static int check_round(struct bucket *bucket, const char *key, struct arena *arena, struct err *err)
{
    char content[33];
    id_hex(content, sizeof content - 1);
    CLEANUP(close_at) int fd = -1;
    if (make_probe(content, sizeof content - 1, &fd, err))
        return -1;
    struct bucket_put put = {
        .key = key,
        .path = arena_printf(arena, "/proc/self/fd/%d", fd),
        .content_type = "text/plain",
        .cache_control = "no-store",
        .size_bytes = sizeof content - 1,
    };
    struct object object;
    struct text text = {.arena = arena};
    if (bucket_put(bucket, &put, 1, NULL, arena, err))
        return err_prefix(err, "put");
    if (bucket_head(bucket, key, arena, &object, err))
        return err_prefix(err, "head");
    if (bucket_get(bucket, key, 1024, arena, &text, err))
        return err_prefix(err, "get");
    if (object.size_bytes != put.size_bytes || strcmp(text.at, content) != 0)
        return err_set(err, ERR_STORAGE_MISMATCH, "what comes back is not what was stored");
    return 0;
}

int bucket_check(struct bucket *bucket, struct err *err)
{
    char name[17], key[64];
    struct arena arena = {0};
    id_hex(name, sizeof name - 1);
    snprintf(key, sizeof key, "mediafleet-check/%s", name);
    const char *const keys[] = {key};
    int result = check_round(bucket, key, &arena, err);
    if (result && err->code == ERR_STORAGE_BUCKET && bucket->ops->create) {
        *err = (struct err){0};
        result = bucket->ops->create(bucket, err) ? err_prefix(err, "create the bucket")
                                                  : check_round(bucket, key, &arena, err);
    }
    if (result == 0 && bucket_delete(bucket, keys, 1, NULL, err))
        result = err_prefix(err, "delete");
    arena_release(&arena);
    return result;
}
