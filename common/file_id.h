/* The _id of a row of r2_file_paths. */
#ifndef COMMON_FILE_ID_H
#define COMMON_FILE_ID_H

#include "common/arena.h"

/* SHA-256, hex, of "<backend>\n<key>": one row for each key of a backend, whatever indexes there are. */
const char *file_id(const char *backend, const char *key, struct arena *arena);

#endif
