/* Documents from and to BSON, by their table. */
#ifndef COMMON_DOC_BSON_H
#define COMMON_DOC_BSON_H

#include <bson/bson.h>

#include "common/arena.h"
#include "common/err.h"
#include "proto/doc.h"

/* Appends every field that is not absent; never null. Embedded documents follow the same rule. */
void doc_bson_encode(const struct doc *doc, const void *object, bson_t *out);
/* One field, under `key` (dotted for updates), if it is not absent; true if it was. */
bool doc_bson_append(const struct field *field, const void *object, const char *key, bson_t *out);

/* Lenient: unknown fields are ignored, int32, int64 and integral doubles are taken for integers; a field of another
 * type than its row's is ERR_INTERNAL. Everything is copied into the arena. `out` is zeroed first. */
int doc_bson_decode(const struct doc *doc, const bson_t *bson, struct arena *arena, void *out, struct err *err);

/* A document as free-form member of another, and back (task.params, task.result). An absent raw decodes as all zero. */
struct raw doc_bson_pack(const struct doc *doc, const void *object, struct arena *arena);
int doc_bson_unpack(const struct doc *doc, const struct raw *raw, struct arena *arena, void *out, struct err *err);

#endif
