/* Sums of the ledger by project or user. */
#include "common/quota.h"

#include <string.h>

#include "proto/file_path.h"

int64_t quota_of(const struct project *project, const struct fleet_settings *settings)
{
    return project->quota_bytes ? project->quota_bytes : settings->quota_project_bytes;
}

int quota_sum(struct store *store, const char *tenant, enum quota_by by, const char *but_job,
              struct quota_used *used, size_t len, struct arena *arena, struct err *err)
{
    const struct file_path filter = {.tenant = tenant},
                           except = {.state = FILE_DELETING, .job = but_job};
    const char **names = arena_alloc_array(arena, len, sizeof *names);
    for (size_t i = 0; i < len; i++)
        names[i] = used[i].name;
    const struct store_sums query = {.filter = &filter,
                                     .except = &except,
                                     .among = {names, len},
                                     .by = by == QUOTA_PROJECTS ? "project_id" : "user_id",
                                     .sum = "size_bytes",
                                     .limit = len};
    struct store_sum *sums;
    size_t found;
    if (store_sum_of(store, FILE_PATH_COLLECTION, &file_path_doc, &query, arena, &sums, &found,
                     err))
        return -1;
    for (size_t i = 0; i < len; i++) {
        used[i].bytes = 0;
        for (size_t f = 0; f < found; f++)
            if (sums[f].key && strcmp(sums[f].key, used[i].name) == 0)
                used[i].bytes = sums[f].total;
    }
    return 0;
}

int quota_check(const char *whose, int64_t quota, int64_t used, int64_t more, struct err *err)
{
    bool fits = more > 0 ? more <= quota - used : used < quota;
    if (quota == 0 || fits)
        return 0;
    return err_set(err, ERR_QUOTA_EXCEEDED, "%s uses %lld of %lld bytes%s", whose, (long long)used,
                   (long long)quota, more > 0 ? ", and this does not fit any more" : "");
}
