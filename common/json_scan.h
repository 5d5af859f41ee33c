/* A strict look at a JSON text's tokens, before cJSON builds the tree: what cJSON would let pass is refused here. */
#ifndef COMMON_JSON_SCAN_H
#define COMMON_JSON_SCAN_H

#include "common/arena.h"
#include "common/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { JSON_DEPTH_MAX = 32, JSON_NUMBER_MAX = 60 };

/* The spelling of every number, in the order of the text: cJSON keeps doubles only, which are inexact beyond 2^53. */
struct json_number {
    const char *at; /* into the text */
    size_t len;
};
struct json_numbers {
    struct json_number *at;
    size_t len, room;
};

/* Judges bytes, strings, numbers, names and depth; how the tokens follow each other is left to cJSON.
 * ERR_MALFORMED_JSON, _JSON_TOO_DEEP, _INVALID_ENCODING, _INVALID_VALUE (NUL), _OUT_OF_RANGE (a number too long). */
int json_scan(const char *json, size_t len, struct arena *arena, struct json_numbers *out, struct err *err);

/* The number as an integer, exactly; false if it has a fraction or does not fit. */
bool json_number_int(const struct json_number *number, int64_t *out);
/* False if it is not finite. */
bool json_number_double(const struct json_number *number, double *out);

#endif
