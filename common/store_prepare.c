/* The indexes of every collection. */
#include "common/store.h"

#include <stdio.h>

#include "common/store_call.h"

enum { KEYS_MAX = 8, DAY_S = 86400 };

struct index {
    const char *collection;
    const char *keys[KEYS_MAX]; /* all ascending, NULL at the end */
    bool unique;
    bool expires;   /* the server removes records … */
    int32_t keep_s; /* … so long after the time in the key */
};

static const struct index indexes[] = {
    {.collection = "jobs", .keys = {"alarm_at"}},
    {.collection = "jobs", .keys = {"tenant", "_id"}},
    {.collection = "jobs", .keys = {"tenant", "state", "_id"}},
    {.collection = "jobs", .keys = {"tenant", "project_id", "_id"}},
    {.collection = "jobs", .keys = {"state", "_id"}},
    {.collection = "jobs", .keys = {"expires_at"}, .expires = true},
    {.collection = "idempotency", .keys = {"at"}, .expires = true, .keep_s = DAY_S},
    {.collection = "scenes", .keys = {"tenant", "project_id", "_id"}},
    /* Who else has a project of that name? */
    {.collection = "scenes", .keys = {"project_id", "tenant"}},
    {.collection = "projects", .keys = {"project_id", "tenant"}},
    {.collection = "r2_file_paths", .keys = {"backend", "object_key"}, .unique = true},
    {.collection = "r2_file_paths", .keys = {"tenant", "project_id", "object_key"}},
    {.collection = "r2_file_paths", .keys = {"job"}},
    {.collection = "r2_file_paths", .keys = {"backend", "sha256"}}, /* of the same content */
    /* Whole: sums by project, user and type, and quotas, read the index only. */
    {.collection = "r2_file_paths",
     .keys = {"tenant", "project_id", "user_id", "file_type", "state", "size_bytes"}},
    {.collection = "r2_file_paths", .keys = {"tenant", "user_id", "state", "size_bytes"}},
    {.collection = "audit", .keys = {"tenant", "_id"}},
};

static void append_spec(const struct index *index, bson_t *out)
{
    char name[128];
    size_t len = 0;
    bson_t key;
    BSON_APPEND_DOCUMENT_BEGIN(out, "key", &key);
    for (const char *const *at = index->keys; *at; at++) {
        BSON_APPEND_INT32(&key, *at, 1);
        len += (size_t)snprintf(name + len, sizeof name - len, "%s%s_1", len ? "_" : "", *at);
    }
    bson_append_document_end(out, &key);
    BSON_APPEND_UTF8(out, "name", name);
    if (index->unique)
        BSON_APPEND_BOOL(out, "unique", true);
    if (index->expires)
        BSON_APPEND_INT32(out, "expireAfterSeconds", index->keep_s);
}

static int create(struct store_call *call, const struct index *index, struct err *err)
{
    CLEANUP(bson_destroy) bson_t command = BSON_INITIALIZER;
    bson_t list, spec;
    BSON_APPEND_UTF8(&command, "createIndexes", index->collection);
    BSON_APPEND_ARRAY_BEGIN(&command, "indexes", &list);
    BSON_APPEND_DOCUMENT_BEGIN(&list, "0", &spec);
    append_spec(index, &spec);
    bson_append_document_end(&list, &spec);
    bson_append_array_end(&command, &list);
    bson_error_t error;
    bool done;
    do {
        done = mongoc_client_write_command_with_opts(call->client, call->store->database, &command,
                                                     NULL, NULL, &error);
    } while (!done && store_call_again(call, &error));
    return done ? 0 : store_call_fail(call, &error, err);
}

int store_prepare(struct store *store, struct err *err)
{
    CLEANUP(store_call_end) struct store_call call;
    if (store_call_begin(&call, store, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof indexes / sizeof indexes[0]; i++)
        if (create(&call, &indexes[i], err) < 0)
            return err_prefix(err, "index on %s", indexes[i].collection);
    return 0;
}
