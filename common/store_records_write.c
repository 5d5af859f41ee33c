/* Writing records by their tables: one, many, and away with them. */
#include "common/store.h"

#include "common/doc_bson.h"
#include "common/store_bulk.h"
#include "common/store_read.h"

/* One write that adds itself to a bulk. */
struct write {
    const bson_t *filter, *document;
    bool upsert;
};

static bool fill_insert(mongoc_bulk_operation_t *bulk, void *arg, bson_error_t *error)
{
    const struct write *write = arg;
    CLEANUP(bson_destroy) bson_t opts = BSON_INITIALIZER;
    return mongoc_bulk_operation_insert_with_opts(bulk, write->document,
                                                  store_unchecked(&opts, false), error);
}

static bool fill_update(mongoc_bulk_operation_t *bulk, void *arg, bson_error_t *error)
{
    const struct write *write = arg;
    CLEANUP(bson_destroy) bson_t opts = BSON_INITIALIZER;
    return mongoc_bulk_operation_update_one_with_opts(bulk, write->filter, write->document,
                                                      store_unchecked(&opts, write->upsert), error);
}

/* The bulk's verdict on its only write: 0 done, 1 a unique key was taken, -1. */
static int only_write(struct store_call *call, const struct store_bulk *work, bson_t *reply,
                      struct err *err)
{
    struct store_write_error refused;
    int done = store_call_bulk(call, work, reply, err);
    if (done != 1 || !store_write_error(reply, 0, &refused))
        return done;
    if (refused.code == STORE_DUPLICATE_KEY)
        return 1;
    return err_set(err, ERR_INTERNAL, "store: %s", refused.message);
}

/* 0 if a record holds all of `wanted`, 1 if none does. */
static int look_for(struct store_call *call, const char *collection, const bson_t *wanted,
                    struct err *err)
{
    CLEANUP(collection_at) mongoc_collection_t *where = store_call_collection(call, collection);
    CLEANUP(bson_destroy) bson_t opts = BSON_INITIALIZER;
    BSON_APPEND_INT64(&opts, "limit", 1);
    CLEANUP(cursor_at)
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(where, wanted, &opts, NULL);
    const bson_t *document;
    bson_error_t error;
    if (mongoc_cursor_next(cursor, &document))
        return 0;
    return mongoc_cursor_error(cursor, &error) ? store_call_fail(call, &error, err) : 1;
}

int store_insert(struct store *store, const char *collection, const struct doc *doc,
                 const void *record, struct err *err)
{
    CLEANUP(store_call_end) struct store_call call;
    CLEANUP(bson_destroy) bson_t document = BSON_INITIALIZER, reply = BSON_INITIALIZER;
    doc_bson_encode(doc, record, &document);
    struct write write = {.document = &document};
    const struct store_bulk work = {collection, fill_insert, &write};
    if (store_call_begin(&call, store, err) < 0)
        return -1;
    int done = only_write(&call, &work, &reply, err);
    /* Sent twice: what is there already may be ours. */
    return done == 1 && call.repeated ? look_for(&call, collection, &document, err) : done;
}

void store_append_update(const struct doc *doc, const void *set, const char *const *unset,
                         bson_t *update)
{
    CLEANUP(bson_destroy) bson_t values = BSON_INITIALIZER, names = BSON_INITIALIZER;
    for (size_t i = 0; i < doc->len; i++) {
        const struct field *field = &doc->fields[i];
        if (field != store_id_field(doc) && !field_absent(field, set))
            doc_bson_append(field, set, field->name, &values);
    }
    for (; unset && *unset; unset++)
        BSON_APPEND_INT32(&names, *unset, 1);
    if (!bson_empty(&values))
        BSON_APPEND_DOCUMENT(update, "$set", &values);
    if (!bson_empty(&names))
        BSON_APPEND_DOCUMENT(update, "$unset", &names);
}

/* Whether the record of that _id is as the update would have left it. */
static int look_for_update(struct store_call *call, const char *collection, const bson_t *filter,
                           const bson_t *update, struct err *err)
{
    CLEANUP(bson_destroy) bson_t wanted = BSON_INITIALIZER;
    bson_iter_t id, part, member;
    if (!bson_iter_init_find(&id, filter, "_id"))
        return 1;
    bson_append_iter(&wanted, "_id", -1, &id);
    if (bson_iter_init_find(&part, update, "$set") && bson_iter_recurse(&part, &member))
        while (bson_iter_next(&member))
            bson_append_iter(&wanted, NULL, 0, &member);
    return look_for(call, collection, &wanted, err);
}

int store_update(struct store *store, const char *collection, const struct doc *doc,
                 const void *filter, const void *set, const char *const *unset, bool upsert,
                 struct err *err)
{
    CLEANUP(store_call_end) struct store_call call;
    CLEANUP(bson_destroy) bson_t bson = BSON_INITIALIZER, update = BSON_INITIALIZER;
    CLEANUP(bson_destroy) bson_t reply = BSON_INITIALIZER;
    struct write write = {&bson, &update, upsert};
    const struct store_bulk work = {collection, fill_update, &write};
    if (store_call_begin(&call, store, err) < 0 || store_filter(doc, filter, &bson, err) < 0)
        return -1;
    store_append_update(doc, set, unset, &update);
    if (bson_empty(&update))
        return err_set(err, ERR_INTERNAL, "store: empty update of a %s", doc->name);
    int done = only_write(&call, &work, &reply, err);
    /* Two upserts at once: the second one finds what the first one inserted. */
    if (done == 1 && upsert)
        done = only_write(&call, &work, &reply, err);
    if (done < 0)
        return -1;
    bool applied =
        done == 0 &&
        store_reply_count(&reply, "nMatched") + store_reply_count(&reply, "nUpserted") > 0;
    if (applied)
        return 0;
    return call.repeated ? look_for_update(&call, collection, &bson, &update, err) : 1;
}

struct many {
    const struct doc *doc;
    const char *records; /* array of doc->size */
    size_t len;
};

static bool fill_upserts(mongoc_bulk_operation_t *bulk, void *arg, bson_error_t *error)
{
    const struct many *many = arg;
    CLEANUP(bson_destroy) bson_t opts = BSON_INITIALIZER;
    store_unchecked(&opts, true);
    for (size_t i = 0; i < many->len; i++) {
        const void *record = many->records + i * many->doc->size;
        CLEANUP(bson_destroy) bson_t filter = BSON_INITIALIZER, document = BSON_INITIALIZER;
        doc_bson_append(store_id_field(many->doc), record, "_id", &filter);
        doc_bson_encode(many->doc, record, &document);
        if (!mongoc_bulk_operation_replace_one_with_opts(bulk, &filter, &document, &opts, error))
            return false;
    }
    return true;
}

static int upsert_batch(struct store_call *call, const struct store_bulk *work, struct err *err)
{
    CLEANUP(bson_destroy) bson_t reply = BSON_INITIALIZER;
    struct store_write_error refused;
    int done = store_call_bulk(call, work, &reply, err);
    /* Two upserts of one _id at once: the second one finds what the first one inserted. */
    if (done == 1 && store_write_error(&reply, 0, &refused) && refused.code == STORE_DUPLICATE_KEY)
        done = store_call_bulk(call, work, &reply, err);
    if (done == 1 && store_write_error(&reply, 0, &refused))
        return err_set(err, ERR_INTERNAL, "store: %s", refused.message);
    return done;
}

int store_upsert_many(struct store *store, const char *collection, const struct doc *doc,
                      const void *records, size_t len, struct err *err)
{
    CLEANUP(store_call_end) struct store_call call;
    if (store_call_begin(&call, store, err) < 0)
        return -1;
    for (size_t i = 0; i < len; i += STORE_BATCH) {
        struct many many = {doc, (const char *)records + i * doc->size,
                            len - i < STORE_BATCH ? len - i : STORE_BATCH};
        const struct store_bulk work = {collection, fill_upserts, &many};
        if (upsert_batch(&call, &work, err) < 0)
            return -1;
    }
    return 0;
}

static bool fill_delete(mongoc_bulk_operation_t *bulk, void *arg, bson_error_t *error)
{
    const bson_t *filter = arg;
    return mongoc_bulk_operation_remove_many_with_opts(bulk, filter, NULL, error);
}

int store_delete_many(struct store *store, const char *collection, const struct doc *doc,
                      const char *const *ids, size_t len, struct err *err)
{
    CLEANUP(store_call_end) struct store_call call;
    if (store_call_begin(&call, store, err) < 0)
        return -1;
    for (size_t i = 0; i < len; i += STORE_BATCH) {
        CLEANUP(bson_destroy) bson_t filter = BSON_INITIALIZER, reply = BSON_INITIALIZER;
        const struct store_bulk work = {collection, fill_delete, &filter};
        store_filter_ids(&filter, store_id_field(doc), ids + i,
                         len - i < STORE_BATCH ? len - i : STORE_BATCH);
        int done = store_call_bulk(&call, &work, &reply, err);
        if (done == 1)
            return err_set(err, ERR_INTERNAL, "store: a delete was refused");
        if (done < 0)
            return -1;
    }
    return 0;
}

int store_delete_matching(struct store *store, const char *collection, const struct doc *doc,
                          const void *filter, int64_t *deleted, struct err *err)
{
    CLEANUP(store_call_end) struct store_call call;
    CLEANUP(bson_destroy) bson_t bson = BSON_INITIALIZER, reply = BSON_INITIALIZER;
    const struct store_bulk work = {collection, fill_delete, &bson};
    if (store_call_begin(&call, store, err) < 0 || store_filter(doc, filter, &bson, err) < 0)
        return -1;
    int done = store_call_bulk(&call, &work, &reply, err);
    if (done == 1)
        return err_set(err, ERR_INTERNAL, "store: a delete was refused");
    if (done < 0)
        return -1;
    if (deleted)
        *deleted = store_reply_count(&reply, "nRemoved");
    return 0;
}
