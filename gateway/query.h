/* Query strings as documents, and percent-encoding. */
#ifndef GATEWAY_QUERY_H
#define GATEWAY_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "common/err.h"
#include "proto/doc.h"

/* Percent-decoded copy; NULL if an escape is malformed or the result has control characters or is
 * not UTF-8. `plus`:
 * '+' is a space. */
const char *query_unescape(struct arena *arena, const char *at, size_t len, bool plus);

/* Fills `out` (zeroed first) from "a=b&c=d"; strings, enums, integers and booleans, checked by their rows.
 * Unknown and repeated names are refused. `query` may be NULL. err->pointer is the parameter's
 * name. */
int query_decode(const struct doc *doc, const char *query, struct arena *arena, void *out,
                 struct err *err);

#endif
