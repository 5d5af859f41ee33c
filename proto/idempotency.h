/* What a request with an Idempotency-Key leaves behind: a second one is answered with the first
 * one's job. */
#ifndef PROTO_IDEMPOTENCY_H
#define PROTO_IDEMPOTENCY_H

#include "proto/doc.h"

#define IDEMPOTENCY_COLLECTION "idempotency"

/* Kept for a day (the index on `at`). Written before the job: whatever the record names is the
 * job's id, even if its insert comes with the second request only. */
struct idempotency {
    const char *id;           /* hash of tenant, route and key, hex */
    const char *job;          /* id of the job */
    const char *request_hash; /* of the body: another one under the same key is an error */
    int64_t at;
};
extern const struct doc idempotency_doc;

#endif
