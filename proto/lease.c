/* The table of leases. */
#include "proto/lease.h"

static const struct field fields[] = {
    FIELD(lease, id, .flags = FIELD_REQUIRED | FIELD_ID, .text = "What it is about."),
    FIELD(lease, by, .flags = FIELD_REQUIRED, .text = "Whose it is, or was last."),
    FIELD(lease, until, .flags = FIELD_REQUIRED | FIELD_TIME, .text = "Nobody's from then on."),
};
const struct doc lease_doc = DOC(lease, fields);
