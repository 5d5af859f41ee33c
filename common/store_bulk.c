/* Bulks of writes, sent a second time if a connection breaks. */
#include "common/store_bulk.h"

static void bulk_at(mongoc_bulk_operation_t **bulk)
{
    mongoc_bulk_operation_destroy(*bulk);
}
const bson_t *store_unchecked(bson_t *opts, bool upsert)
{
    BSON_APPEND_BOOL(opts, "validate", false);
    if (upsert)
        BSON_APPEND_BOOL(opts, "upsert", true);
    return opts;
}

bool store_bulk_update(mongoc_bulk_operation_t *bulk, const bson_t *filter, const bson_t *update,
                       size_t len, bson_error_t *error)
{
    CLEANUP(bson_destroy) bson_t opts = BSON_INITIALIZER;
    store_unchecked(&opts, false);
    return (len == 1
                ? mongoc_bulk_operation_update_one_with_opts
                : mongoc_bulk_operation_update_many_with_opts)(bulk, filter, update, &opts, error);
}

void store_group(size_t *leader, size_t len, bool (*is_same)(const void *arg, size_t a, size_t b),
                 const void *arg)
{
    for (size_t i = 0; i < len; i++) {
        size_t first = 0;
        while (first < i && (leader[first] != first || !is_same(arg, first, i)))
            first++;
        leader[i] = first;
    }
}

size_t store_group_jobs(const size_t *leader, size_t len, size_t first,
                        const char *(*job)(const void *arg, size_t i), const void *arg,
                        const char **ids)
{
    size_t count = 0;
    for (size_t i = first; i < len; i++)
        if (leader[i] == first)
            ids[count++] = job(arg, i);
    return count;
}

static bool run_bulk(struct store_call *call, const struct store_bulk *work, bson_t *reply,
                     bson_error_t *error)
{
    CLEANUP(bson_destroy) bson_t opts = BSON_INITIALIZER;
    BSON_APPEND_BOOL(&opts, "ordered", false);
    CLEANUP(collection_at)
    mongoc_collection_t *collection = store_call_collection(call, work->collection);
    CLEANUP(bulk_at)
    mongoc_bulk_operation_t *bulk =
        mongoc_collection_create_bulk_operation_with_opts(collection, &opts);
    if (!work->fill(bulk, work->arg, error))
        return false;
    bson_destroy(reply);
    return mongoc_bulk_operation_execute(bulk, reply, error) != 0;
}

int store_call_bulk(struct store_call *call, const struct store_bulk *work, bson_t *reply,
                    struct err *err)
{
    bson_error_t error;
    struct store_write_error refused;
    do {
        if (run_bulk(call, work, reply, &error))
            return 0;
        bool served =
            error.domain != MONGOC_ERROR_STREAM && error.domain != MONGOC_ERROR_WRITE_CONCERN;
        if (served && store_write_error(reply, 0, &refused))
            return 1;
    } while (store_call_again(call, &error));
    return store_call_fail(call, &error, err);
}

int64_t store_reply_count(const bson_t *reply, const char *name)
{
    bson_iter_t iter;
    return bson_iter_init_find(&iter, reply, name) ? bson_iter_as_int64(&iter) : 0;
}

bool store_write_error(const bson_t *reply, size_t n, struct store_write_error *out)
{
    bson_iter_t iter, list, member;
    if (!bson_iter_init_find(&iter, reply, "writeErrors") || !bson_iter_recurse(&iter, &list))
        return false;
    for (size_t i = 0; i <= n; i++)
        if (!bson_iter_next(&list))
            return false;
    *out = (struct store_write_error){.message = ""};
    if (!bson_iter_recurse(&list, &member))
        return false;
    while (bson_iter_next(&member)) {
        const char *key = bson_iter_key(&member);
        if (strcmp(key, "index") == 0)
            out->index = (size_t)bson_iter_as_int64(&member);
        else if (strcmp(key, "code") == 0)
            out->code = bson_iter_as_int64(&member);
        else if (strcmp(key, "errmsg") == 0 && BSON_ITER_HOLDS_UTF8(&member))
            out->message = bson_iter_utf8(&member, NULL);
    }
    return true;
}
