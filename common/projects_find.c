/* What is asked of a project before something is stored. Apart from the deletion, which needs half
 * of common. */
#include "common/projects.h"

int projects_find(struct store *store, const char *tenant, const char *project, struct arena *arena,
                  struct project *out, struct err *err)
{
    char key[PROJECT_KEY_MAX + 1];
    *out = (struct project){.tenant = tenant, .project_id = project};
    if (project_key(tenant, project, key))
        return 0; /* nobody can have made it */
    const struct project filter = {.id = key};
    if (store_get(store, PROJECT_COLLECTION, &project_doc, &filter, arena, out, err) == 0)
        return 1;
    if (err->code != ERR_NOT_FOUND)
        return -1;
    *err = (struct err){0};
    return 0;
}

int projects_check(const struct project *project, struct err *err)
{
    if (!project->deleted_at)
        return 0;
    return err_set(err, ERR_PROJECT_DELETED, "the project %s was deleted", project->project_id);
}
