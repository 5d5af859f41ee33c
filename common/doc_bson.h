/* Documents from and to BSON, by their table. */
#ifndef COMMON_DOC_BSON_H
#define COMMON_DOC_BSON_H

#include <bson/bson.h>

#include "common/arena.h"
#include "common/err.h"
#include "proto/doc.h"

/* The field's name in the store: "_id" for the row with FIELD_ID, else its name on the wire. */
const char *doc_bson_name(const struct field *field);

/* Appends every field that is not absent, and numbers, booleans and lists with FIELD_ALWAYS even
 * when zero; never null. Embedded documents follow the same rule; elements of lists are written
 * even when all zero. */
void doc_bson_encode(const struct doc *doc, const void *object, bson_t *out);
/* One field by that rule, under `key` (dotted for updates); true if something was appended. */
bool doc_bson_append(const struct field *field, const void *object, const char *key, bson_t *out);
/* A value as that row of type str would hold it: an ObjectId where the row has FIELD_OID. */
bool doc_bson_append_text(const struct field *field, const char *value, const char *key,
                          bson_t *out);

/* Lenient: unknown fields and nulls are ignored, int32, int64 and integral doubles are taken for
 * integers; a field of another type than its row's, or with a name its enum does not have, is
 * ERR_INTERNAL. Everything is copied into the arena. `out` is zeroed first. */
int doc_bson_decode(const struct doc *doc, const bson_t *bson, struct arena *arena, void *out,
                    struct err *err);

/* A document as free-form member of another, and back (task.params, task.result). An object that is
 * all zero packs as an absent raw, and that unpacks as all zero. */
struct raw doc_bson_pack(const struct doc *doc, const void *object, struct arena *arena);
int doc_bson_unpack(const struct doc *doc, const struct raw *raw, struct arena *arena, void *out,
                    struct err *err);

#endif
