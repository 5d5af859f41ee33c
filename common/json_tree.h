/* A JSON text as cJSON's tree, checked strictly, its numbers exact; and the place of a value, for error answers. */
#ifndef COMMON_JSON_TREE_H
#define COMMON_JSON_TREE_H

#include <cjson/cJSON.h>

#include "common/json_scan.h"

struct json_tree {
    cJSON *root; /* whoever opened it deletes it */
    struct json_numbers numbers;
};
int json_tree_open(struct json_tree *out, const char *json, size_t len, struct arena *arena, struct err *err);
/* The spelling of a number of that tree. */
const struct json_number *json_tree_number(const struct json_tree *tree, const cJSON *item);

/* Where a value stands: a member's name, or an index where name is NULL; `up` is NULL for the whole body. */
struct json_place {
    const struct json_place *up;
    const char *name;
    size_t index;
};
/* As RFC 6901 has it, cut to what fits. */
void json_place_pointer(const struct json_place *place, char *out, size_t size);
/* err_set, and the pointer. */
int json_place_fail(const struct json_place *place, struct err *err, enum error code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
