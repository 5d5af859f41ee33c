/* Inside the store: filters, and reading what matches them. For common/store*.c only. */
#ifndef COMMON_STORE_READ_H
#define COMMON_STORE_READ_H

#include "common/store_call.h"

/* Every document that matches goes to `take`, which copies what it needs; at most `limit` (0: none)
 * in one round trip. */
struct store_read {
    const char *collection;
    const bson_t *filter, *sort, *projection; /* sort and projection may be NULL */
    size_t limit;
    int (*take)(void *arg, const bson_t *document, struct err *err);
    void *arg;
};
int store_call_read(struct store_call *call, const struct store_read *read, struct err *err);

/* A `take` that decodes into a growing array; arg is a struct store_list. */
struct store_list {
    const struct doc *doc;
    struct arena *arena;
    char *at; /* array of doc->size */
    size_t len, room;
};
int store_list_take(void *list, const bson_t *document, struct err *err);
/* The row named _id. Every record's table has one. */
const struct field *store_id_field(const struct doc *doc);
/* Every field of the record that is present. An empty filter is ERR_INTERNAL. */
int store_filter(const struct doc *doc, const void *record, bson_t *out, struct err *err);
/* {"_id": {"$in": ids}} */
void store_filter_ids(bson_t *filter, const struct field *id, const char *const *ids, size_t len);
/* The same for jobs; one is named without $in. */
void store_filter_jobs(bson_t *filter, const char *const *ids, size_t len);

static inline void cursor_at(mongoc_cursor_t **cursor)
{
    mongoc_cursor_destroy(*cursor);
}

#endif
