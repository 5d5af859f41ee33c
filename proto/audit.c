/* The table of audit. */
#include "proto/audit.h"

static const struct field fields[] = {
    FIELD(audit, id, .flags = FIELD_REQUIRED | FIELD_ID, .text = "A ULID."),
    FIELD(audit, at, .flags = FIELD_TIME, .text = "When it was done."),
    FIELD(audit, tenant, .flags = FIELD_HIDDEN, .text = "Whose it was."),
    FIELD(audit, by, .text = "The caller, or the part of mediafleet that did it."),
    FIELD(audit, action, .text = "What was done."),
    FIELD(audit, subject, .text = "What it was done to."),
    FIELD(audit, request_id, .text = "X-Request-Id of the request that asked for it."),
    FIELD(audit, job, .text = "Job that did it."),
    FIELD(audit, counts, .text = "What came of it, in numbers."),
};
const struct doc audit_doc = DOC(audit, fields);
