/* Where media is kept for users: one interface over the local directory and S3 (MinIO, AWS, R2). */
#ifndef COMMON_BUCKET_H
#define COMMON_BUCKET_H

#include <stdbool.h>

#include "common/arena.h"
#include "common/err.h"
#include "proto/settings.h"

struct bucket; /* belongs to the thread that opened it */

struct object {
    const char *key;
    int64_t size_bytes, modified_at;
    const char *etag, *content_type, *cache_control, *sha256; /* sha256: x-amz-meta-sha256; local: a sidecar-less "" */
};
struct objects {
    struct object *at;
    size_t len;
};

/* stopped is asked at least once a second; sent adds up bytes; retried: a request is sent again. Each may be NULL. */
struct bucket_watch {
    bool (*stopped)(void *arg);
    void (*sent)(void *arg, int64_t bytes);
    void (*retried)(void *arg);
    void *arg;
};

/* One file to store; size_bytes must be its size (else ERR_STORAGE_MISMATCH), types NULL: by file_kind. err.code ERR_NONE
 * afterwards: it is there, whole, and etag says which (arena's). */
struct bucket_put {
    const char *key, *path, *content_type, *cache_control;
    const char *sha256; /* hex, of the whole file, or NULL */
    int64_t size_bytes;
    const char *etag;
    struct err err;
};

int bucket_open(struct bucket **out, const struct bucket_settings *settings, struct err *err); /* or ERR_STORAGE_DISABLED */
void bucket_free(struct bucket *bucket);
/* For callers somebody waits for: a call that sends no file ends after so long, its further tries included. 0, the
 * default: see bucket_put. */
void bucket_set_patience(struct bucket *bucket, int64_t call_ms);
/* For every call: who can stop it (but bucket_put asks its own watch), who is told of retries. Must outlive the calls. */
void bucket_set_watch(struct bucket *bucket, const struct bucket_watch *watch);
const char *bucket_backend(const struct bucket *bucket); /* "local", "minio", "s3", "r2", "none": local media only */
bool bucket_compares(const struct bucket *bucket); /* the storage refuses a file that is not what bucket_put.sha256 says */
const char *bucket_name(const struct bucket *bucket); /* the bucket's name; local: the directory's */

/* Several files and parts at once, always sent, even if the object is there already; a failed one is retried by itself (0.2 s · 2^k full jitter, cap 20 s, 6 tries,
 * Retry-After honoured). Multipart from 16 MiB in equal parts. -1 if any failed: err is the first one's. Nothing partly
 * stored stays: local files appear by rename, multipart uploads that fail are aborted. */
int bucket_put(struct bucket *bucket, struct bucket_put *puts, size_t len, const struct bucket_watch *watch,
               struct arena *arena, struct err *err);
/* ERR_OBJECT_NOT_FOUND. */
int bucket_head(struct bucket *bucket, const char *key, struct arena *arena, struct object *out, struct err *err);
/* A whole small object in memory; ERR_OBJECT_TOO_LARGE above max_bytes. */
int bucket_get(struct bucket *bucket, const char *key, int64_t max_bytes, struct arena *arena, struct text *out,
               struct err *err);
/* A whole object of any size into a file, from its beginning; read in order, a broken transfer goes on where it ended.
 * What came is as long as `out` says and of one version (ERR_STORAGE_MISMATCH); watch->sent adds up what was received. */
int bucket_get_file(struct bucket *bucket, const char *key, int fd, const struct bucket_watch *watch,
                    struct arena *arena, struct object *out, struct err *err);
/* Deletes; what is not there counts as deleted. errs[i] per key (may be NULL). At most 1,000 a call. */
int bucket_delete(struct bucket *bucket, const char *const *keys, size_t len, struct err *errs, struct err *err);
/* Keys with that prefix ("": the whole bucket), ascending by bytes, after `after` (or NULL). Of S3 also keys that nobody
 * of us makes (object_key_valid): no other call takes those. Memory: `limit` objects; local: 2,048 names a directory too. */
int bucket_list(struct bucket *bucket, const char *prefix, const char *after, size_t limit, struct arena *arena,
                struct objects *out, struct err *err);
/* S3 only: a GET URL that carries its own signature (1 … 604,800 s, SigV4). */
int bucket_presign(struct bucket *bucket, const char *key, int64_t expires_s, struct arena *arena, const char **out,
                   struct err *err);
/* Local and none: the object's file, opened for reading; the caller closes it. */
int bucket_open_file(struct bucket *bucket, const char *key, int *fd, int64_t *size_bytes, struct err *err);
/* Whether objects can be stored, without storing one; a try of at most 5 s. Local: always. */
int bucket_probe(struct bucket *bucket, struct err *err);

#endif
