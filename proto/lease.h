/* leases: what one process at a time does for all of them. */
#ifndef PROTO_LEASE_H
#define PROTO_LEASE_H

#include "proto/doc.h"

#define LEASE_COLLECTION "leases"

struct lease {
    const char *id; /* what it is about */
    const char *by; /* whose it is, or was last */
    int64_t until;  /* nobody's from then on; never absent */
};
extern const struct doc lease_doc;

#endif
