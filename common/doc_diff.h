/* The difference of two documents of one table, as a MongoDB update. */
#ifndef COMMON_DOC_DIFF_H
#define COMMON_DOC_DIFF_H

#include <bson/bson.h>

#include "proto/doc.h"

/* Of two elements of a list of documents: whether the later one is written whole. What the table
 * does not know of it is gone then. */
typedef bool doc_diff_whole(const struct field *list, const void *before, const void *after);

/* Appends to `set` every field of `after` that differs from `before` ("tasks.2.state": …), to
 * `unset` every field that became absent (with FIELD_ALWAYS: set to zero). Lists of documents are
 * compared element by element where the lengths agree, but for those that `whole` (may be NULL)
 * names, else replaced whole; lists of scalars and free-form documents are replaced whole. Fields
 * named in `skip` (NULL-ended, or NULL) and the record's _id are not looked at. Changing a list in
 * place changes both documents if they share it: copy it first. Returns the number of fields that
 * differ. */
size_t doc_diff(const struct doc *doc, const void *before, const void *after,
                const char *const *skip, doc_diff_whole *whole, bson_t *set, bson_t *unset);

#endif
