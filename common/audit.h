/* Writing the audit's lines. */
#ifndef COMMON_AUDIT_H
#define COMMON_AUDIT_H

#include "common/err.h"
#include "common/store.h"
#include "proto/audit.h"

/* Inserts the line. Without an id or a time it gets them here. With an id of the caller's (of
 * id_child) the same line twice is one line: the first one stays, and that is no error. Any thread.
 */
int audit_add(struct store *store, const struct audit *line, struct err *err);

#endif
