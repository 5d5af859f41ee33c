/* Documents from and to JSON, by their table. The one door to cJSON (parsing only; answers are printed here). */
#ifndef COMMON_DOC_JSON_H
#define COMMON_DOC_JSON_H

#include "common/arena.h"
#include "common/err.h"
#include "common/json_text.h"
#include "proto/doc.h"

/* RFC 8259 and stricter: whole input, depth ≤ 32, no duplicate keys, no NUL, UTF-8 without lone surrogates, integers
 * in range and without fraction (int64 exactly, beyond 2^53 too). */
enum doc_json_flags {
    DOC_JSON_LENIENT = 1 /* ignore unknown fields (aliases of old routes, tickets of newer releases) */
};
/* Fills `out` (a struct described by doc; zeroed first) with strings and lists from the arena. On failure err has
 * the code, the JSON pointer of the field and a sentence with the limit; unknown fields come with a hint. A field that
 * is null counts as absent. Free-form objects (TYPE_RAW) become BSON: at most 8 KiB, depth ≤ 4, keys without '$', '.'. */
int doc_json_decode(const struct doc *doc, const char *json, size_t len, unsigned flags, struct arena *arena,
                    void *out, struct err *err);

/* Adds the document to `text` as one JSON object. Absent fields are left out; FIELD_HIDDEN and FIELD_SECRET ones too. */
void doc_json_encode(const struct doc *doc, const void *object, struct text *text);

/* For answers that are more than one document, beside common/json_text.h. */
void json_raw(struct text *text, const struct raw *raw); /* BSON as JSON; {} if there is none */

#endif
