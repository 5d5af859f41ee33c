/* The table of idempotency records. */
#include "proto/idempotency.h"

static const struct field fields[] = {
    FIELD(idempotency, id, .flags = FIELD_REQUIRED | FIELD_ID,
          .text = "Hash of tenant, route and key."),
    FIELD(idempotency, job, .flags = FIELD_REQUIRED, .text = "Id of the job."),
    FIELD(idempotency, request_hash, .flags = FIELD_REQUIRED, .text = "Hash of the request."),
    FIELD(idempotency, at, .flags = FIELD_TIME, .text = "When the first one came."),
};
const struct doc idempotency_doc = DOC(idempotency, fields);
