/* What operators do with a bucket: a check of every right, unfinished uploads, rules of expiry. */
#ifndef COMMON_BUCKET_ADMIN_H
#define COMMON_BUCKET_ADMIN_H

#include "common/bucket.h"
#include "proto/lifecycle.h"

/* bucket_open of that backend, whichever one the settings choose. */
int bucket_open_as(struct bucket **out, const struct bucket_settings *settings, enum backend backend, struct err *err);

/* put, head, get, delete of a small object. err: all steps that failed with what each said, "put: ...; delete: ...",
 * and the first one's code. A step without its object is not tried; whatever happens before, delete is. Creates the
 * bucket if it is allowed and missing. */
int bucket_check(struct bucket *bucket, struct err *err);

/* A multipart upload that was begun and neither completed nor aborted. Local: a temporary file, whose id is its name and
 * whose key nobody knows (""). */
struct upload {
    const char *key, *id;
    int64_t begun_at; /* 0: the storage did not say */
};
struct uploads {
    struct upload *at;
    size_t len;
    const struct upload *next; /* `after` of the next page, whose arena it needs; NULL: that was all */
};
/* A page of at most `limit` (and 1,000) in the order of keys, after `after` (or NULL); "": of the whole bucket (MinIO
 * lists none then: it wants whole keys, and expires uploads by itself after a day). */
int bucket_list_uploads(struct bucket *bucket, const char *prefix, const struct upload *after, size_t limit,
                        struct arena *arena, struct uploads *out, struct err *err);
/* What is not there counts as aborted. Local: false as long as the writer lives. aborted may be NULL. */
int bucket_abort_upload(struct bucket *bucket, const struct upload *upload, bool *aborted, struct err *err);
/* Aborts every open multipart upload under the prefix (MinIO lists them by whole keys only, and expires the rest by
 * itself after a day). aborted may be NULL. Local: removes temporary files whose writer is gone. */
int bucket_abort_uploads(struct bucket *bucket, const char *prefix, size_t *aborted, struct err *err);
/* All of the bucket; at most 1,000,000 are counted. */
int bucket_count_uploads(struct bucket *bucket, int64_t *out, struct err *err);

/* Rules by which the storage itself deletes. Ours abort unfinished uploads after a day (MinIO does so without a rule)
 * and expire tmp/ after two days. What is set; with `apply` ours are set first, and all others stay as they are. ERR_STORAGE_UNSUPPORTED: the storage has
 * no such rules (local, versitygw). Who changes rules in the same moment may lose them: S3 has no condition here. */
int bucket_lifecycle(struct bucket *bucket, bool apply, struct arena *arena, struct lifecycle *out, struct err *err);

#endif
