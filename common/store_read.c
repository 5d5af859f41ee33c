/* Readings: a filter, options for one round trip, and a taker of documents. */
#include "common/store_read.h"

#include "common/doc_bson.h"

int store_call_read(struct store_call *call, const struct store_read *read, struct err *err)
{
    if (!read->limit)
        return 0;
    CLEANUP(bson_destroy) bson_t opts = BSON_INITIALIZER;
    if (read->sort)
        BSON_APPEND_DOCUMENT(&opts, "sort", read->sort);
    if (read->projection)
        BSON_APPEND_DOCUMENT(&opts, "projection", read->projection);
    BSON_APPEND_INT64(&opts, "limit", (int64_t)read->limit);
    /* One more than the limit, so that the server closes the cursor by itself. */
    BSON_APPEND_INT64(&opts, "batchSize", (int64_t)read->limit + 1);
    CLEANUP(collection_at)
    mongoc_collection_t *collection = store_call_collection(call, read->collection);
    CLEANUP(cursor_at)
    mongoc_cursor_t *cursor =
        mongoc_collection_find_with_opts(collection, read->filter, &opts, NULL);
    const bson_t *document;
    while (mongoc_cursor_next(cursor, &document))
        if (read->take(read->arg, document, err) < 0)
            return -1;
    bson_error_t error;
    return mongoc_cursor_error(cursor, &error) ? store_call_fail(call, &error, err) : 0;
}

int store_list_take(void *arg, const bson_t *document, struct err *err)
{
    struct store_list *list = arg;
    size_t size = list->doc->size;
    if (list->len == list->room) {
        list->room = list->room ? 2 * list->room : 16;
        char *grown = arena_alloc_array(list->arena, list->room, size);
        if (list->len)
            memcpy(grown, list->at, list->len * size);
        list->at = grown;
    }
    if (doc_bson_decode(list->doc, document, list->arena, list->at + list->len * size, err) < 0)
        return -1;
    list->len++;
    return 0;
}

void store_filter_ids(bson_t *filter, const struct field *id, const char *const *ids, size_t len)
{
    bson_t in, list;
    BSON_APPEND_DOCUMENT_BEGIN(filter, "_id", &in);
    BSON_APPEND_ARRAY_BEGIN(&in, "$in", &list);
    for (size_t i = 0; i < len; i++) {
        char digits[16];
        const char *key;
        bson_uint32_to_string((uint32_t)i, &key, digits, sizeof digits);
        doc_bson_append_text(id, ids[i], key, &list);
    }
    bson_append_array_end(&in, &list);
    bson_append_document_end(filter, &in);
}

void store_filter_jobs(bson_t *filter, const char *const *ids, size_t len)
{
    if (len == 1)
        BSON_APPEND_UTF8(filter, "_id", ids[0]);
    else
        store_filter_ids(filter, doc_field(&job_doc, "id"), ids, len);
}

const struct field *store_id_field(const struct doc *doc)
{
    for (size_t i = 0; i < doc->len; i++)
        if (strcmp(doc_bson_name(&doc->fields[i]), "_id") == 0)
            return &doc->fields[i];
    return NULL;
}

int store_filter(const struct doc *doc, const void *record, bson_t *out, struct err *err)
{
    for (size_t i = 0; i < doc->len; i++) {
        const struct field *field = &doc->fields[i];
        if (!field_absent(field, record))
            doc_bson_append(field, record, doc_bson_name(field), out);
    }
    if (bson_empty(out))
        return err_set(err, ERR_INTERNAL, "store: empty filter for %s", doc->name);
    return 0;
}
