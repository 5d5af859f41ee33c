/* Reading records by their tables: filters, one record, pages. */
#include "common/store.h"

#include "common/doc_bson.h"
#include "common/store_read.h"
#include "common/utf8.h"

int store_get(struct store *store, const char *collection, const struct doc *doc,
              const void *filter, struct arena *arena, void *out, struct err *err)
{
    CLEANUP(store_call_end) struct store_call call;
    CLEANUP(bson_destroy) bson_t bson = BSON_INITIALIZER;
    struct store_list list = {.doc = doc, .arena = arena};
    const struct store_read read = {.collection = collection,
                                    .filter = &bson,
                                    .limit = 1,
                                    .take = store_list_take,
                                    .arg = &list};
    if (store_call_begin(&call, store, err) < 0 || store_filter(doc, filter, &bson, err) < 0 ||
        store_call_read(&call, &read, err) < 0)
        return -1;
    if (!list.len)
        return err_set(err, ERR_NOT_FOUND, "there is no such %s", doc->name);
    memcpy(out, list.at, doc->size);
    return 0;
}

int store_by_ids(struct store *store, const char *collection, const struct doc *doc,
                 const char *const *ids, size_t len, struct arena *arena, void **out,
                 size_t *out_len, struct err *err)
{
    CLEANUP(store_call_end) struct store_call call;
    CLEANUP(bson_destroy) bson_t filter = BSON_INITIALIZER;
    struct store_list list = {.doc = doc, .arena = arena};
    const struct store_read read = {.collection = collection,
                                    .filter = &filter,
                                    .limit = len,
                                    .take = store_list_take,
                                    .arg = &list};
    store_filter_ids(&filter, store_id_field(doc), ids, len);
    if (store_call_begin(&call, store, err) < 0 || store_call_read(&call, &read, err) < 0)
        return -1;
    *out = list.at;
    *out_len = list.len;
    return 0;
}

/* The first text after all that begin with the prefix: its last character, counted up. NULL: there
 * is none. */
static const char *after_prefix(const char *prefix, struct arena *arena)
{
    char *end = arena_alloc(arena, strlen(prefix) + 4);
    size_t len = strlen(prefix);
    memcpy(end, prefix, len);
    while (len > 0) {
        size_t first = len - 1;
        while (first > 0 && ((unsigned char)end[first] & 0xC0) == 0x80)
            first--;
        uint32_t code = bson_utf8_get_char(end + first) + 1;
        if (code >= 0xD800 && code < 0xE000) /* surrogates are no characters */
            code = 0xE000;
        end[first] = '\0';
        if (code <= 0x10FFFF) {
            end[first + utf8_put(code, end + first)] = '\0';
            return end;
        }
        len = first;
    }
    return NULL;
}

/* {order: {$gt or $lt: after, $gte: prefix, $lt: its end}} */
static void append_range(const struct field *field, const struct store_page *page,
                         struct arena *arena, bson_t *filter)
{
    bson_t range;
    const char *end = page->prefix ? after_prefix(page->prefix, arena) : NULL;
    const char *from = page->prefix, *to = end;
    bool passed_from = false;
    /* Servers take an operator once: whichever bound is the closer one. */
    if (page->after && !page->descending && (!from || strcmp(page->after, from) >= 0)) {
        from = page->after;
        passed_from = true;
    }
    if (page->after && page->descending && (!to || strcmp(page->after, to) < 0))
        to = page->after;
    if (!from && !to)
        return;
    BSON_APPEND_DOCUMENT_BEGIN(filter, doc_bson_name(field), &range);
    if (from)
        doc_bson_append_text(field, from, passed_from ? "$gt" : "$gte", &range);
    if (to)
        doc_bson_append_text(field, to, "$lt", &range);
    bson_append_document_end(filter, &range);
}

int store_find(struct store *store, const char *collection, const struct doc *doc,
               const struct store_page *page, struct arena *arena, void **out, size_t *len,
               struct err *err)
{
    CLEANUP(store_call_end) struct store_call call;
    CLEANUP(bson_destroy) bson_t filter = BSON_INITIALIZER, sort = BSON_INITIALIZER;
    struct store_list list = {.doc = doc, .arena = arena};
    const struct store_read read = {.collection = collection,
                                    .filter = &filter,
                                    .sort = &sort,
                                    .limit = page->limit,
                                    .take = store_list_take,
                                    .arg = &list};
    const struct field *order = page->order ? doc_field(doc, page->order) : store_id_field(doc);
    if (store_call_begin(&call, store, err) < 0 ||
        (page->filter && store_filter(doc, page->filter, &filter, err) < 0))
        return -1;
    if (!order || order->type != TYPE_STR)
        return err_set(err, ERR_INTERNAL, "store: no such order of %s", doc->name);
    append_range(order, page, arena, &filter);
    bson_append_int32(&sort, doc_bson_name(order), -1, page->descending ? -1 : 1);
    if (store_call_read(&call, &read, err) < 0)
        return -1;
    *out = list.at;
    *len = list.len;
    return 0;
}
