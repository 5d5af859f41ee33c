/* A project: what the fleet knows of it beside its scenes, rows and jobs: whether it was deleted, what it may store. */
#ifndef PROTO_PROJECT_H
#define PROTO_PROJECT_H

#include "proto/doc.h"
#include "proto/file_path.h"

#define PROJECT_COLLECTION "projects"
enum { PROJECT_KEY_MAX = 2 * IDENT_MAX + 1 };

/* A project without a record is a project like any other: nothing was deleted, the quota is the setting's. */
struct project {
    const char *id; /* "<tenant>/<project_id>": project_key */
    const char *tenant, *project_id;
    int64_t deleted_at; /* not 0: a tombstone, kept for ever; nothing new is accepted or stored */
    const char *deleted_by;
    const char *cleanup_job; /* the job that removes what it stored */
    int64_t quota_bytes;     /* 0: the setting's default */
    int64_t created_at, updated_at;
};
extern const struct doc project_doc;

/* The record's _id; -1 if it does not fit. */
int project_key(const char *tenant, const char *project, char out[PROJECT_KEY_MAX + 1]);

#endif
