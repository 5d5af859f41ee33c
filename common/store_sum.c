/* One aggregation: match, group, the largest first. */
#include "common/store.h"

#include <stdio.h>

#include "common/doc_bson.h"
#include "common/store_read.h"

enum { NAME_BYTES = 64 };

struct pipeline {
    bson_t *stages;
    uint32_t len;
};

static void add_stage(struct pipeline *pipeline, const char *name, const bson_t *what)
{
    char digits[16];
    const char *key;
    bson_t stage;
    bson_uint32_to_string(pipeline->len++, &key, digits, sizeof digits);
    BSON_APPEND_DOCUMENT_BEGIN(pipeline->stages, key, &stage);
    BSON_APPEND_DOCUMENT(&stage, name, what);
    bson_append_document_end(pipeline->stages, &stage);
}

static void append_except(const struct doc *doc, const void *except, bson_t *match)
{
    for (size_t i = 0; i < doc->len; i++) {
        const struct field *field = &doc->fields[i];
        bson_t value;
        if (field_absent(field, except))
            continue;
        BSON_APPEND_DOCUMENT_BEGIN(match, doc_bson_name(field), &value);
        doc_bson_append(field, except, "$ne", &value);
        bson_append_document_end(match, &value);
    }
}

static void append_among(const struct field *field, const struct strs *among, bson_t *match)
{
    bson_t in, list;
    BSON_APPEND_DOCUMENT_BEGIN(match, doc_bson_name(field), &in);
    BSON_APPEND_ARRAY_BEGIN(&in, "$in", &list);
    for (size_t i = 0; i < among->len; i++) {
        char digits[16];
        const char *key;
        bson_uint32_to_string((uint32_t)i, &key, digits, sizeof digits);
        doc_bson_append_text(field, among->at[i], key, &list);
    }
    bson_append_array_end(&in, &list);
    bson_append_document_end(match, &in);
}

static int add_match(struct pipeline *pipeline, const struct doc *doc,
                     const struct store_sums *query, const struct field *by, struct err *err)
{
    CLEANUP(bson_destroy) bson_t match = BSON_INITIALIZER;
    if (store_filter(doc, query->filter, &match, err) < 0)
        return -1;
    if (query->except)
        append_except(doc, query->except, &match);
    if (by && query->among.len > 0)
        append_among(by, &query->among, &match);
    add_stage(pipeline, "$match", &match);
    return 0;
}

static void add_group(struct pipeline *pipeline, const struct field *by, const struct field *sum)
{
    CLEANUP(bson_destroy) bson_t group = BSON_INITIALIZER;
    char name[NAME_BYTES];
    bson_t total, count;
    if (by) {
        snprintf(name, sizeof name, "$%s", doc_bson_name(by));
        BSON_APPEND_UTF8(&group, "_id", name);
    } else {
        BSON_APPEND_NULL(&group, "_id");
    }
    snprintf(name, sizeof name, "$%s", doc_bson_name(sum));
    BSON_APPEND_DOCUMENT_BEGIN(&group, "total", &total);
    BSON_APPEND_UTF8(&total, "$sum", name);
    bson_append_document_end(&group, &total);
    BSON_APPEND_DOCUMENT_BEGIN(&group, "count", &count);
    BSON_APPEND_INT32(&count, "$sum", 1);
    bson_append_document_end(&group, &count);
    add_stage(pipeline, "$group", &group);
}

static void add_order(struct pipeline *pipeline, size_t limit)
{
    CLEANUP(bson_destroy) bson_t sort = BSON_INITIALIZER;
    char digits[16];
    const char *key;
    bson_t stage;
    BSON_APPEND_INT32(&sort, "total", -1);
    BSON_APPEND_INT32(&sort, "_id", 1);
    add_stage(pipeline, "$sort", &sort);
    bson_uint32_to_string(pipeline->len++, &key, digits, sizeof digits);
    BSON_APPEND_DOCUMENT_BEGIN(pipeline->stages, key, &stage);
    BSON_APPEND_INT64(&stage, "$limit", (int64_t)limit);
    bson_append_document_end(pipeline->stages, &stage);
}

static int64_t integer_of(const bson_t *row, const char *name)
{
    bson_iter_t iter;
    return bson_iter_init_find(&iter, row, name) ? bson_iter_as_int64(&iter) : 0;
}

static struct store_sum row_of(const bson_t *document, struct arena *arena)
{
    struct store_sum row = {.count = integer_of(document, "count"),
                            .total = integer_of(document, "total")};
    bson_iter_t id;
    if (!bson_iter_init_find(&id, document, "_id"))
        return row;
    if (BSON_ITER_HOLDS_UTF8(&id))
        row.key = arena_strdup(arena, bson_iter_utf8(&id, NULL));
    if (BSON_ITER_HOLDS_OID(&id)) {
        char hex[25];
        bson_oid_to_string(bson_iter_oid(&id), hex);
        row.key = arena_strdup(arena, hex);
    }
    return row;
}

static int read_rows(struct store_call *call, const char *collection, const bson_t *pipeline,
                     size_t limit, struct arena *arena, struct store_sum **out, size_t *len,
                     struct err *err)
{
    CLEANUP(collection_at) mongoc_collection_t *where = store_call_collection(call, collection);
    CLEANUP(bson_destroy) bson_t opts = BSON_INITIALIZER;
    /* One more than there are, so that the server closes the cursor by itself. */
    BSON_APPEND_INT64(&opts, "batchSize", (int64_t)limit + 1);
    CLEANUP(cursor_at)
    mongoc_cursor_t *cursor =
        mongoc_collection_aggregate(where, MONGOC_QUERY_NONE, pipeline, &opts, NULL);
    const bson_t *document;
    bson_error_t error;
    *out = arena_alloc_array(arena, limit, sizeof **out);
    *len = 0;
    while (*len < limit && mongoc_cursor_next(cursor, &document))
        (*out)[(*len)++] = row_of(document, arena);
    return mongoc_cursor_error(cursor, &error) ? store_call_fail(call, &error, err) : 0;
}

int store_sum_of(struct store *store, const char *collection, const struct doc *doc,
                 const struct store_sums *query, struct arena *arena, struct store_sum **out,
                 size_t *len, struct err *err)
{
    CLEANUP(store_call_end) struct store_call call;
    CLEANUP(bson_destroy) bson_t stages = BSON_INITIALIZER;
    struct pipeline pipeline = {.stages = &stages};
    const struct field *by = query->by ? doc_field(doc, query->by) : NULL;
    const struct field *sum = doc_field(doc, query->sum);
    if (store_call_begin(&call, store, err) < 0)
        return -1;
    if (!sum || sum->type != TYPE_INT64 || (query->by && !by) || query->limit == 0)
        return err_set(err, ERR_INTERNAL, "store: no such sum over %s", doc->name);
    if (add_match(&pipeline, doc, query, by, err) < 0)
        return -1;
    add_group(&pipeline, by, sum);
    add_order(&pipeline, query->limit);
    return read_rows(&call, collection, &stages, query->limit, arena, out, len, err);
}

int store_sum(struct store *store, const char *collection, const struct doc *doc,
              const void *filter, const char *by, const char *sum, size_t limit,
              struct arena *arena, struct store_sum **out, size_t *len, struct err *err)
{
    const struct store_sums query = {.filter = filter, .by = by, .sum = sum, .limit = limit};
    return store_sum_of(store, collection, doc, &query, arena, out, len, err);
}
