/* Reading records by their tables: filters, one record, pages. */
#include "common/store.h"

#include "common/doc_bson.h"
#include "common/store_read.h"

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
    const struct field *id = store_id_field(doc);
    if (store_call_begin(&call, store, err) < 0 ||
        (page->filter && store_filter(doc, page->filter, &filter, err) < 0))
        return -1;
    if (page->after && id) {
        bson_t after;
        BSON_APPEND_DOCUMENT_BEGIN(&filter, "_id", &after);
        doc_bson_append_text(id, page->after, page->descending ? "$lt" : "$gt", &after);
        bson_append_document_end(&filter, &after);
    }
    BSON_APPEND_INT32(&sort, "_id", page->descending ? -1 : 1);
    if (store_call_read(&call, &read, err) < 0)
        return -1;
    *out = list.at;
    *len = list.len;
    return 0;
}
