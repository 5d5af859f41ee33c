/* Free-form documents between JSON and BSON: an own walk, which takes {"$oid": …} for what it is, a bad name. */
#ifndef COMMON_RAW_JSON_H
#define COMMON_RAW_JSON_H

#include "common/json_tree.h"
#include "proto/doc.h"

enum { RAW_JSON_BYTES_MAX = 8192, RAW_JSON_DEPTH_MAX = 4 };

/* A JSON object as BSON bytes in the arena. Integers stay exact (int64). ERR_INVALID_TYPE (no object),
 * _INVALID_FORMAT (names: empty, or with '$' or '.'), _JSON_TOO_DEEP, _OUT_OF_RANGE (a number, or more than max_bytes). */
int raw_json_read(const struct json_tree *tree, const cJSON *object, const struct json_place *place,
                  int64_t max_bytes, struct arena *arena, struct raw *out, struct err *err);

#endif
