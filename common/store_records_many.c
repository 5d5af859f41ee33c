/* Writing many records at once, each with its own verdict. */
#include "common/store.h"

#include "common/doc_bson.h"
#include "common/store_bulk.h"
#include "common/store_read.h"

struct many {
    const struct doc *doc;
    const char *records; /* array of doc->size */
    size_t len;
    const char *newest;
    const char *const *unset;
};

static const void *record_of(const struct many *many, size_t i)
{
    return many->records + i * many->doc->size;
}

static bool fill_inserts(mongoc_bulk_operation_t *bulk, void *arg, bson_error_t *error)
{
    const struct many *many = arg;
    CLEANUP(bson_destroy) bson_t opts = BSON_INITIALIZER;
    store_unchecked(&opts, false);
    for (size_t i = 0; i < many->len; i++) {
        CLEANUP(bson_destroy) bson_t document = BSON_INITIALIZER;
        doc_bson_encode(many->doc, record_of(many, i), &document);
        if (!mongoc_bulk_operation_insert_with_opts(bulk, &document, &opts, error))
            return false;
    }
    return true;
}

/* {"_id": …, newest: {"$not": {"$gte": …}}}: an upsert that finds the record as new already tries
 * to insert it, which its key forbids. */
static void append_older(const struct many *many, const void *record, bson_t *filter)
{
    bson_t condition, bound;
    doc_bson_append(store_id_field(many->doc), record, "_id", filter);
    BSON_APPEND_DOCUMENT_BEGIN(filter, many->newest, &condition);
    BSON_APPEND_DOCUMENT_BEGIN(&condition, "$not", &bound);
    doc_bson_append(doc_field(many->doc, many->newest), record, "$gte", &bound);
    bson_append_document_end(&condition, &bound);
    bson_append_document_end(filter, &condition);
}

static bool fill_merges(mongoc_bulk_operation_t *bulk, void *arg, bson_error_t *error)
{
    const struct many *many = arg;
    CLEANUP(bson_destroy) bson_t opts = BSON_INITIALIZER;
    store_unchecked(&opts, true);
    for (size_t i = 0; i < many->len; i++) {
        CLEANUP(bson_destroy) bson_t filter = BSON_INITIALIZER, update = BSON_INITIALIZER;
        append_older(many, record_of(many, i), &filter);
        store_append_update(many->doc, record_of(many, i), many->unset, &update);
        if (!mongoc_bulk_operation_update_one_with_opts(bulk, &filter, &update, &opts, error))
            return false;
    }
    return true;
}

/* Whether some were refused because their key was taken; taken may be NULL. */
static bool note_refused(const bson_t *reply, size_t len, bool *taken, struct err *errs)
{
    struct store_write_error refused;
    bool any_taken = false;
    for (size_t i = 0; i < len; i++)
        errs[i] = (struct err){0};
    for (size_t n = 0; store_write_error(reply, n, &refused); n++) {
        if (refused.index >= len)
            continue;
        bool key = refused.code == STORE_DUPLICATE_KEY;
        any_taken |= key;
        if (!key)
            err_set(&errs[refused.index], ERR_INTERNAL, "store: %s", refused.message);
        else if (taken)
            taken[refused.index] = true;
    }
    return any_taken;
}

static int insert_batch(struct store_call *call, const struct store_bulk *work, size_t len,
                        bool *taken, struct err *errs, struct err *err)
{
    CLEANUP(bson_destroy) bson_t reply = BSON_INITIALIZER;
    if (store_call_bulk(call, work, &reply, err) < 0)
        return -1;
    note_refused(&reply, len, taken, errs);
    return 0;
}

/* A key that is taken means that the record is as new already, or that two upserts came at once:
 * the second time, it can only mean the former. */
static int merge_batch(struct store_call *call, const struct store_bulk *work, size_t len,
                       struct err *errs, struct err *err)
{
    CLEANUP(bson_destroy) bson_t reply = BSON_INITIALIZER, again = BSON_INITIALIZER;
    if (store_call_bulk(call, work, &reply, err) < 0)
        return -1;
    if (!note_refused(&reply, len, NULL, errs))
        return 0;
    if (store_call_bulk(call, work, &again, err) < 0)
        return -1;
    note_refused(&again, len, NULL, errs);
    return 0;
}

int store_insert_many(struct store *store, const char *collection, const struct doc *doc,
                      const void *records, size_t len, bool *taken, struct err *errs,
                      struct err *err)
{
    CLEANUP(store_call_end) struct store_call call;
    if (store_call_begin(&call, store, err) < 0)
        return -1;
    for (size_t i = 0; i < len; i++)
        taken[i] = false;
    for (size_t i = 0; i < len; i += STORE_BATCH) {
        size_t part = len - i < STORE_BATCH ? len - i : STORE_BATCH;
        struct many many = {doc, (const char *)records + i * doc->size, part, NULL, NULL};
        const struct store_bulk work = {collection, fill_inserts, &many};
        if (insert_batch(&call, &work, part, taken + i, errs + i, err) < 0)
            return -1;
    }
    return 0;
}

int store_merge_many(struct store *store, const char *collection, const struct doc *doc,
                     const struct store_merge *merge, struct err *errs, struct err *err)
{
    CLEANUP(store_call_end) struct store_call call;
    if (store_call_begin(&call, store, err) < 0)
        return -1;
    for (size_t i = 0; i < merge->len; i += STORE_BATCH) {
        size_t part = merge->len - i < STORE_BATCH ? merge->len - i : STORE_BATCH;
        struct many many = {doc, (const char *)merge->records + i * doc->size, part, merge->newest,
                            merge->unset};
        const struct store_bulk work = {collection, fill_merges, &many};
        if (merge_batch(&call, &work, part, errs + i, err) < 0)
            return -1;
    }
    return 0;
}
