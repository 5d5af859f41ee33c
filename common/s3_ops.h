/* Inside common/bucket: what S3 does for each of bucket_backend.h's operations. Nobody but bucket_s3.c
 * and s3*.c includes it. */
#ifndef COMMON_S3_OPS_H
#define COMMON_S3_OPS_H

#include "common/s3.h"

int s3_put(struct bucket *bucket, struct bucket_put *puts, size_t len,
           const struct bucket_watch *watch, struct arena *arena, struct err *err);
int s3_list(struct bucket *bucket, const char *prefix, const char *after, size_t limit,
            struct arena *arena, struct objects *out, struct err *err);
int s3_get_file(struct bucket *bucket, const char *key, int fd, const struct bucket_watch *watch,
                struct arena *arena, struct object *out, struct err *err);
int s3_delete(struct bucket *bucket, const char *const *keys, size_t len, struct err *errs,
              struct err *err);
int s3_abort_uploads(struct bucket *bucket, const char *prefix, size_t *aborted, struct err *err);
int s3_list_uploads(struct bucket *bucket, const char *prefix, const struct upload *after,
                    size_t limit, struct arena *arena, struct uploads *out, struct err *err);
int s3_abort_upload(struct bucket *bucket, const struct upload *upload, bool *aborted,
                    struct err *err);
int s3_lifecycle(struct bucket *bucket, bool apply, struct arena *arena, struct lifecycle *out,
                 struct err *err);

#endif
