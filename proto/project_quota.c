/* The tables of quotas. */
#include "proto/project_quota.h"

/* clang-format off */
static const struct field quota_fields[] = {
    FIELD(project_quota, quota_bytes, .flags = FIELD_REQUIRED, .max = INT64_C(1) << 53, .text = "How much the project may store; 0 is the default."),
};
const struct doc project_quota_doc = DOC(project_quota, quota_fields);

static const struct field view_fields[] = {
    FIELD(project_quota_view, project_id, .flags = FIELD_REQUIRED, .text = "The project."),
    FIELD(project_quota_view, quota_bytes, .flags = FIELD_ALWAYS, .text = "How much it may store; 0 is no limit."),
    FIELD(project_quota_view, used_bytes, .flags = FIELD_ALWAYS, .text = "How much it stores, or is about to."),
    FIELD(project_quota_view, is_default, .flags = FIELD_ALWAYS, .text = "The setting's quota, not one of its own."),
};
const struct doc project_quota_view_doc = DOC(project_quota_view, view_fields);
/* clang-format on */
