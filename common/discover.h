/* Objects of a project that no row tells of, found by how their keys begin. */
#ifndef COMMON_DISCOVER_H
#define COMMON_DISCOVER_H

#include "common/bucket.h"
#include "common/store.h"
#include "proto/project_files.h"

struct discover; /* one thread's; store, bucket and names must outlive it */

struct discovered {
    struct object object;
    enum error code;    /* ERR_NONE: it is the project's; else why nobody may delete it */
    const char *detail; /* of code; a constant */
};
struct discoveries {
    struct discovered *at; /* in the arena, in the order of their keys */
    size_t len;
    const char *last; /* the last key that was looked at, NULL if there was none: there is no more */
};

/* Asks who else has a project of that name: keys do not tell tenants apart. */
int discover_open(struct discover **out, struct store *store, struct bucket *bucket,
                  const char *tenant, const char *project, struct err *err);
void discover_free(struct discover *discover);
/* Another tenant has such a project, too: nothing without a row is anybody's. */
bool discover_shared(const struct discover *discover);
/* Looks at the next `limit` keys (≤ 500) of the pattern after `after` (NULL: from the start). Objects with a row, whoever's
 * it is, and objects that are surely another project's are left out. */
int discover_page(struct discover *discover, enum project_pattern pattern, const char *after,
                  size_t limit, struct arena *arena, struct discoveries *out, struct err *err);
/* Whether everything under the pattern's prefix is this project's, open uploads included: 1, 0, -1. */
int discover_is_whole(struct discover *discover, enum project_pattern pattern, struct err *err);

#endif
