/* Projects' quotas. */
#include "common/audit.h"
#include "common/clock.h"
#include "common/projects.h"
#include "common/quota.h"
#include "gateway/handlers.h"
#include "gateway/project.h"
#include "proto/project_quota.h"

enum { TRIES = 4 };

static int tell(struct api *api, struct request *request, const struct project *project,
                struct project_quota_view *out, struct err *err)
{
    struct quota_used used = {.name = project->project_id};
    if (quota_sum(api->services->store, request->who.tenant, QUOTA_PROJECTS, NULL, &used, 1,
                  &request->arena, err))
        return -1;
    *out = (struct project_quota_view){
        .project_id = project->project_id,
        .quota_bytes = quota_of(project, api->services->fleet),
        .used_bytes = used.bytes,
        .is_default = project->quota_bytes == 0,
    };
    return 0;
}

API_ANSWER(api_quota)
{
    (void)in;
    struct project project;
    const char *id;
    if (api_project(request, &id, err) ||
        projects_find(api->services->store, request->who.tenant, id, &request->arena, &project,
                      err) < 0 ||
        projects_check(&project, err))
        return -1;
    project.project_id = id;
    return tell(api, request, &project, out, err);
}

/* Only the quota: whoever deletes the project meanwhile has written more than that. */
static int save(struct api *api, const struct project *project, struct err *err)
{
    static const char *const unset[] = {"quota_bytes", NULL};
    struct store *store = api->services->store;
    const struct project key = {.id = project->id};
    const struct project set = {.quota_bytes = project->quota_bytes,
                                .updated_at = project->updated_at};
    for (int i = 0; i < TRIES; i++) {
        int answer = store_update(store, PROJECT_COLLECTION, &project_doc, &key, &set,
                                  set.quota_bytes ? NULL : unset, false, err);
        if (answer == 1 && set.quota_bytes)
            answer = store_insert(store, PROJECT_COLLECTION, &project_doc, project, err);
        else if (answer == 1)
            return 0; /* no record, so no quota */
        if (answer <= 0)
            return answer;
    }
    return err_set(err, ERR_OVERLOADED, "the project changes too fast");
}

API_ANSWER(api_quota_put)
{
    const struct project_quota *wanted = in;
    char key[PROJECT_KEY_MAX + 1];
    struct project project;
    const char *id;
    if (api_project(request, &id, err))
        return -1;
    int there = projects_find(api->services->store, request->who.tenant, id, &request->arena,
                              &project, err);
    if (there < 0 || projects_check(&project, err))
        return -1;
    if (project_key(request->who.tenant, id, key))
        return err_set(err, ERR_INVALID_ID, "the project's id is too long");
    project.id = key;
    project.tenant = request->who.tenant;
    project.project_id = id;
    project.quota_bytes = wanted->quota_bytes;
    project.updated_at = clock_now_ms();
    if (!there)
        project.created_at = project.updated_at;
    const struct audit line = {.tenant = request->who.tenant,
                               .by = request->who.name,
                               .action = "project.quota",
                               .subject = id,
                               .request_id = request->id};
    if (save(api, &project, err) || audit_add(api->services->store, &line, err))
        return -1;
    return tell(api, request, &project, out, err);
}
