/* How much projects and users may store, held against the ledger: what is stored, and what is about
 * to be. Two that ask at once may both be told that there is room. */
#ifndef COMMON_QUOTA_H
#define COMMON_QUOTA_H

#include "common/arena.h"
#include "common/err.h"
#include "common/store.h"
#include "proto/project.h"
#include "proto/settings.h"

/* What counts for the project: its own quota, or the setting's. 0: none. */
int64_t quota_of(const struct project *project, const struct fleet_settings *settings);

/* A project or a user of the tenant. */
struct quota_used {
    const char *name;
    int64_t bytes; /* filled in */
};
enum quota_by { QUOTA_PROJECTS, QUOTA_USERS };
/* The rows of all of them in one aggregation; but_job (or NULL): its rows are left out. Names may
 * stand there twice. */
int quota_sum(struct store *store, const char *tenant, enum quota_by by, const char *but_job,
              struct quota_used *used, size_t len, struct arena *arena, struct err *err);

/* Whether `more` bytes fit; more 0: anything at all. ERR_QUOTA_EXCEEDED. `whose`: "the project a".
 */
int quota_check(const char *whose, int64_t quota, int64_t used, int64_t more, struct err *err);

#endif
