/* audit: a line for everything that was deleted or changed on somebody's order. Never changed, kept for ever. */
#ifndef PROTO_AUDIT_H
#define PROTO_AUDIT_H

#include "proto/doc.h"

#define AUDIT_COLLECTION "audit"

struct audit {
    const char *id; /* a ULID */
    int64_t at;
    const char *tenant, *by; /* by: the caller's name, or the part of mediafleet that did it */
    const char *action;      /* "project.delete", "job.cleanup" … */
    const char *subject;     /* what it was done to: a project's id, a prefix */
    const char *request_id, *job;
    struct raw counts; /* what came of it */
};
extern const struct doc audit_doc;

#endif
