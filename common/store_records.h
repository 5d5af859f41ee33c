/* The store's records other than jobs: each a collection, a document table, and a C struct. */
#ifndef COMMON_STORE_RECORDS_H
#define COMMON_STORE_RECORDS_H

#include <stdbool.h>

#include "common/arena.h"
#include "common/err.h"
#include "proto/doc.h"

struct store;

/* A filter is a struct of the same table: every field that is present must be equal. Never an empty
 * filter. */

/* ERR_NOT_FOUND if no record matches. */
int store_get(struct store *store, const char *collection, const struct doc *doc,
              const void *filter, struct arena *arena, void *out, struct err *err);
/* Those of these _ids that exist, in no order. `out` is an array of doc->size in the arena. */
int store_by_ids(struct store *store, const char *collection, const struct doc *doc,
                 const char *const *ids, size_t len, struct arena *arena, void **out,
                 size_t *out_len, struct err *err);
/* 0 inserted, 1 there was one with that _id (or other unique key) already. */
int store_insert(struct store *store, const char *collection, const struct doc *doc,
                 const void *record, struct err *err);
/* Sets the present fields of `set` (its _id is not looked at) in the one record that matches; 1 if
 * none matched. upsert: inserts filter + set when none matches. Fields in `unset` (NULL-ended
 * names, or NULL) are removed. */
int store_update(struct store *store, const char *collection, const struct doc *doc,
                 const void *filter, const void *set, const char *const *unset, bool upsert,
                 struct err *err);
/* Unordered bulk of the same by _id: each of `records` (array of doc->size) upserted whole, 500 a
 * batch. */
int store_upsert_many(struct store *store, const char *collection, const struct doc *doc,
                      const void *records, size_t len, struct err *err);
/* Unordered bulks of 500; record i's own failure is in errs[i] (code ERR_NONE: done), -1: nothing
 * is known. store_insert_many fills taken[i]: there is one with that key already, which after a
 * broken connection may be the one just sent. store_merge_many does by _id what store_update with
 * upsert does, unless the record's text in the field `newest` is as great as the one to be set
 * already. */
int store_insert_many(struct store *store, const char *collection, const struct doc *doc,
                      const void *records, size_t len, bool *taken, struct err *errs,
                      struct err *err);
struct store_merge {
    const void *records; /* array of doc->size */
    size_t len;
    const char *newest;
    const char *const *unset; /* as of store_update */
};
int store_merge_many(struct store *store, const char *collection, const struct doc *doc,
                     const struct store_merge *merge, struct err *errs, struct err *err);
/* Deletes the records with these _ids, 500 a batch; what is not there counts as deleted. */
int store_delete_many(struct store *store, const char *collection, const struct doc *doc,
                      const char *const *ids, size_t len, struct err *err);
/* Deletes every record that matches. `deleted` (may be NULL) is how many; after a broken connection
 * those of the second try only. */
int store_delete_matching(struct store *store, const char *collection, const struct doc *doc,
                          const void *filter, int64_t *deleted, struct err *err);
/* A page in _id order (descending where asked), after the _id `after` (NULL: from the start). `out`
 * is an array of doc->size in the arena. With `order`, a text field's name on the wire, by that
 * field, of which `after` is a value then: only where no two that match are equal in it, and where
 * an index has it. */
struct store_page {
    const void *filter; /* NULL: every record */
    const char *after;
    size_t limit;
    bool descending;
    const char *order;  /* NULL: _id */
    const char *prefix; /* only those whose `order` begins with it; NULL: all */
};
int store_find(struct store *store, const char *collection, const struct doc *doc,
               const struct store_page *page, struct arena *arena, void **out, size_t *len,
               struct err *err);

#endif
