/* The field whose name somebody probably meant. */
#ifndef COMMON_NEAR_NAME_H
#define COMMON_NEAR_NAME_H

#include "proto/doc.h"

/* Name of the row nearest to `name`, at most two edits away, or NULL. */
const char *near_name(const struct doc *doc, const char *name);

#endif
