/* The sizes are known only now: what was accepted may be too much. */
#include "worker/upload/quota.h"

#include "common/doc_bson.h"
#include "common/quota.h"
#include "proto/scene.h"

static int check(struct run *run, enum quota_by by, const char *name, int64_t quota, int64_t bytes,
                 struct err *err)
{
    const struct job *job = run_job(run);
    struct quota_used used = {.name = name};
    if (quota == 0 || !name)
        return 0;
    if (quota_sum(run_store(run), job->tenant, by, job->id, &used, 1, run_arena(run), err))
        return -1;
    const char *whose =
        arena_printf(run_arena(run), "the %s %s", by == QUOTA_PROJECTS ? "project" : "user", name);
    return quota_check(whose, quota, used.bytes, bytes, err);
}

int upload_quota_check(struct run *run, const struct project *project, int64_t bytes,
                       struct err *err)
{
    const struct job *job = run_job(run);
    const struct fleet_settings *settings = run_fleet(run);
    struct media_store asked;
    if (doc_bson_unpack(&media_store_doc, &job->params, run_arena(run), &asked, err) ||
        check(run, QUOTA_PROJECTS, job->project_id, quota_of(project, settings), bytes, err))
        return -1;
    return check(run, QUOTA_USERS, asked.user_id, settings->quota_user_bytes, bytes, err);
}
