/* What an administrator says of a project's quota, and what is told of it. */
#ifndef PROTO_PROJECT_QUOTA_H
#define PROTO_PROJECT_QUOTA_H

#include "proto/doc.h"

struct project_quota { /* PUT /api/v1/projects/{project_id}/quota */
    int64_t quota_bytes; /* 0: what the setting says */
};
struct project_quota_view {
    const char *project_id;
    int64_t quota_bytes, used_bytes; /* quota_bytes: what counts; 0: no limit */
    bool is_default;
};
extern const struct doc project_quota_doc, project_quota_view_doc;

#endif
