/* Inside the store: one unordered bulk of writes, and what the server says of each. For
 * common/store*.c only. */
#ifndef COMMON_STORE_BULK_H
#define COMMON_STORE_BULK_H

#include "common/store_call.h"

enum { STORE_DUPLICATE_KEY = 11000, STORE_BATCH = 500 };

/* Unordered writes; fill adds them and is called again if they are sent again. `reply` is an
 * initialised bson_t. */
struct store_bulk {
    const char *collection;
    bool (*fill)(mongoc_bulk_operation_t *bulk, void *arg, bson_error_t *error);
    void *arg;
};
/* 0: all done; 1: some were refused, see the write errors; -1: failed. */
int store_call_bulk(struct store_call *call, const struct store_bulk *work, bson_t *reply,
                    struct err *err);
/* Adds the update of `len` documents: all that the filter finds, which are no more. */
bool store_bulk_update(mongoc_bulk_operation_t *bulk, const bson_t *filter, const bson_t *update,
                       size_t len, bson_error_t *error);
/* Writes that are the same but for the job become one: leader[i] is the first that is as the i-th, which may be itself. */
void store_group(size_t *leader, size_t len, bool (*is_same)(const void *arg, size_t a, size_t b), const void *arg);
/* The jobs of that leader's write, into ids; returns how many. job: of the i-th write. */
size_t store_group_jobs(const size_t *leader, size_t len, size_t first, const char *(*job)(const void *arg, size_t i),
                        const void *arg, const char **ids);
/* Options of every write: the server checks, the driver need not. */
const bson_t *store_unchecked(bson_t *opts, bool upsert);

int64_t store_reply_count(const bson_t *reply, const char *name);
struct store_write_error {
    size_t index;
    int64_t code;
    const char *message;
};
/* Fills `out` with the n-th write error; false if there are fewer. */
bool store_write_error(const bson_t *reply, size_t n, struct store_write_error *out);

/* {"$set": present fields but the _id, "$unset": names (NULL-ended, or NULL)}. */
void store_append_update(const struct doc *doc, const void *set, const char *const *unset,
                         bson_t *update);
/* Into a $push: the line at the end of the log, the oldest beyond JOB_LOG_MAX dropped. token may be
 * NULL. */
void store_append_log(bson_t *push, const struct log_line *line, const bson_oid_t *token);

#endif
