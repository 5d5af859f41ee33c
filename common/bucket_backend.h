/* Inside common/bucket: what a backend is. Nobody but bucket*.c and s3*.c includes this. */
#ifndef COMMON_BUCKET_BACKEND_H
#define COMMON_BUCKET_BACKEND_H

#include "common/bucket_admin.h"

/* Keys, prefixes and counts have been checked when these are called. NULL: the backend has no such
 * thing. */
struct bucket_ops {
    bool compares; /* bucket_compares */
    int (*put)(struct bucket *bucket, struct bucket_put *puts, size_t len,
               const struct bucket_watch *watch, struct arena *arena, struct err *err);
    int (*head)(struct bucket *bucket, const char *key, struct arena *arena, struct object *out,
                struct err *err);
    int (*get)(struct bucket *bucket, const char *key, int64_t max_bytes, struct arena *arena,
               struct text *out, struct err *err);
    int (*get_file)(struct bucket *bucket, const char *key, int fd,
                    const struct bucket_watch *watch, struct arena *arena, struct object *out,
                    struct err *err);
    int (*delete)(struct bucket *bucket, const char *const *keys, size_t len, struct err *errs,
                  struct err *err);
    int (*list)(struct bucket *bucket, const char *prefix, const char *after, size_t limit,
                struct arena *arena, struct objects *out, struct err *err);
    int (*abort_uploads)(struct bucket *bucket, const char *prefix, size_t *aborted,
                         struct err *err);
    int (*list_uploads)(struct bucket *bucket, const char *prefix, const struct upload *after,
                        size_t limit, struct arena *arena, struct uploads *out, struct err *err);
    int (*abort_upload)(struct bucket *bucket, const struct upload *upload, bool *aborted,
                        struct err *err);
    int (*lifecycle)(struct bucket *bucket, bool apply, struct arena *arena, struct lifecycle *out,
                     struct err *err);
    int (*presign)(struct bucket *bucket, const char *key, int64_t expires_s, struct arena *arena,
                   const char **out, struct err *err);
    int (*open_file)(struct bucket *bucket, const char *key, int *fd, int64_t *size_bytes,
                     struct err *err);
    int (*create)(struct bucket *bucket, struct err *err);
    int (*probe)(struct bucket *bucket, struct err *err);
    void (*free)(struct bucket *bucket);
};

/* The first member of a backend's own struct; strings live in its arena. */
struct bucket {
    const struct bucket_ops *ops;
    const char *backend, *name;
    int64_t call_ms; /* bucket_set_patience */
    const struct bucket_watch *watch;
    struct arena arena;
};

/* own: the backend "none": files of ours are taken over where they are, not copied. */
int bucket_local_open(struct bucket **out, const char *root, bool own, struct err *err);
int bucket_s3_open(struct bucket **out, const struct bucket_settings *settings, struct err *err);

/* Several, each with an err of its own: the first failure in *err, -1 if there is one. */
int bucket_first_error(const struct bucket_put *puts, size_t len, struct err *err);

/* ERR_INTERNAL unless it is the beginning of a key, or empty where the whole bucket may be meant. */
int bucket_check_prefix(const char *prefix, bool whole, struct err *err);

#endif
