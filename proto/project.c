/* The table of projects. */
#include "proto/project.h"

#include <stdio.h>

static const struct field fields[] = {
    FIELD(project, id, .flags = FIELD_REQUIRED | FIELD_ID | FIELD_HIDDEN,
          .text = "Tenant and project."),
    FIELD(project, tenant, .flags = FIELD_REQUIRED | FIELD_HIDDEN, .text = "Whose it is."),
    FIELD(project, project_id, .flags = FIELD_REQUIRED, .text = "The user's project."),
    FIELD(project, deleted_at, .flags = FIELD_TIME, .text = "When it was deleted."),
    FIELD(project, deleted_by, .text = "Who deleted it."),
    FIELD(project, cleanup_job, .text = "The job that removes what it stored."),
    FIELD(project, quota_bytes, .text = "How much it may store; absent: the default."),
    FIELD(project, created_at, .flags = FIELD_TIME, .text = "When the record was made."),
    FIELD(project, updated_at, .flags = FIELD_TIME, .text = "When the record last changed."),
};
const struct doc project_doc = DOC(project, fields);

int project_key(const char *tenant, const char *project, char out[PROJECT_KEY_MAX + 1])
{
    int len = snprintf(out, PROJECT_KEY_MAX + 1, "%s/%s", tenant, project);
    return len > 0 && len <= PROJECT_KEY_MAX ? 0 : -1;
}
