/* Every way to fail: one table says the wire name, the HTTP status and what a retry would bring. */
#ifndef PROTO_ERROR_H
#define PROTO_ERROR_H

/* What follows from an error, for whoever has to decide. */
enum error_class {
    CLASS_CALLER,    /* the request is wrong: the caller must change it */
    CLASS_PERMANENT, /* the same task would fail again: fail at once */
    CLASS_TRANSIENT, /* worth another run after a delay, up to the task's max_attempts */
    CLASS_RELEASED   /* nobody's fault (drain, store outage): back to the queue, not counted */
};

/* Rows: enum suffix, wire name, HTTP status when it answers a request, class. Wire names never change. */
#define ERROR_TABLE(X)                                                                             \
    /* requests */                                                                                 \
    X(MALFORMED_JSON, "malformed-json", 400, CALLER)                                               \
    X(JSON_TOO_DEEP, "json-too-deep", 400, CALLER)                                                 \
    X(BODY_TOO_LARGE, "body-too-large", 413, CALLER)                                               \
    X(INVALID_ENCODING, "invalid-encoding", 400, CALLER)                                           \
    X(INVALID_VALUE, "invalid-value", 400, CALLER)                                                 \
    X(DUPLICATE_KEY, "duplicate-key", 400, CALLER)                                                 \
    X(INVALID_BODY, "invalid-type", 400, CALLER) /* the whole body is not an object */             \
    X(INVALID_TYPE, "invalid-type", 422, CALLER)                                                   \
    X(UNKNOWN_FIELD, "unknown-field", 422, CALLER)                                                 \
    X(MISSING_FIELD, "missing-field", 422, CALLER)                                                 \
    X(OUT_OF_RANGE, "out-of-range", 422, CALLER)                                                   \
    X(TOO_MANY_ITEMS, "too-many-items", 422, CALLER)                                               \
    X(INVALID_FORMAT, "invalid-format", 422, CALLER)                                               \
    X(INVALID_ID, "invalid-id", 400, CALLER)                                                       \
    X(INVALID_CURSOR, "invalid-cursor", 400, CALLER)                                               \
    X(INVALID_IDEMPOTENCY_KEY, "invalid-idempotency-key", 400, CALLER)                             \
    X(IDEMPOTENCY_KEY_REUSE, "idempotency-key-reuse", 422, CALLER)                                 \
    X(BAD_FRAMING, "bad-framing", 400, CALLER)                                                     \
    X(EXPECTATION_FAILED, "expectation-failed", 417, CALLER)                                       \
    X(UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", 415, CALLER)                               \
    X(UNSUPPORTED_ENCODING, "unsupported-encoding", 415, CALLER)                                   \
    X(NOT_FOUND, "not-found", 404, CALLER)                                                         \
    X(METHOD_NOT_ALLOWED, "method-not-allowed", 405, CALLER)                                       \
    X(JOB_NOT_FOUND, "job-not-found", 404, CALLER)                                                 \
    X(SCENE_NOT_FOUND, "scene-not-found", 404, CALLER)                                             \
    X(SCENE_CONFLICT, "scene-conflict", 409, CALLER)                                               \
    X(PROJECT_NOT_FOUND, "project-not-found", 404, CALLER)                                         \
    X(PROJECT_DELETED, "project-deleted", 409, PERMANENT)                                          \
    X(QUOTA_EXCEEDED, "quota-exceeded", 422, PERMANENT)                                            \
    X(JOB_FINISHED, "job-finished", 409, CALLER)                                                   \
    X(JOB_RUNNING, "job-running", 409, CALLER)                                                     \
    X(MISSING_CREDENTIALS, "missing-credentials", 401, CALLER)                                     \
    X(INVALID_CREDENTIALS, "invalid-credentials", 401, CALLER)                                     \
    X(INVALID_TOKEN, "invalid-token", 401, CALLER)                                                 \
    X(TOKEN_EXPIRED, "token-expired", 401, CALLER)                                                 \
    X(FORBIDDEN, "forbidden", 403, CALLER)                                                         \
    X(INVALID_SIGNATURE, "invalid-signature", 403, CALLER)                                         \
    X(URL_EXPIRED, "url-expired", 403, CALLER)                                                     \
    X(RANGE_NOT_SATISFIABLE, "range-not-satisfiable", 416, CALLER)                                 \
    X(RATE_LIMITED, "rate-limited", 429, TRANSIENT)                                                \
    X(OVERLOADED, "overloaded", 503, TRANSIENT)                                                    \
    X(SHUTTING_DOWN, "shutting-down", 503, RELEASED)                                               \
    X(STORE_UNAVAILABLE, "store-unavailable", 503, RELEASED)                                       \
    X(BROKER_UNAVAILABLE, "broker-unavailable", 503, RELEASED)                                     \
    /* source URLs and what sources answer */                                                      \
    X(UNSUPPORTED_SCHEME, "unsupported-scheme", 422, PERMANENT)                                    \
    X(FORBIDDEN_ADDRESS, "forbidden-address", 422, PERMANENT)                                      \
    X(FORBIDDEN_PORT, "forbidden-port", 422, PERMANENT)                                            \
    X(INVALID_URL, "invalid-url", 422, PERMANENT)                                                  \
    X(URL_TOO_LONG, "url-too-long", 422, PERMANENT)                                                \
    X(SOURCE_NOT_FOUND, "source-not-found", 502, PERMANENT)                                        \
    X(SOURCE_FORBIDDEN, "source-forbidden", 502, PERMANENT)                                        \
    X(SOURCE_REFUSED, "source-refused", 502, PERMANENT) /* any other 4xx */                        \
    X(SOURCE_UNAVAILABLE, "source-unavailable", 502, TRANSIENT)                                    \
    X(SOURCE_UNREACHABLE, "source-unreachable", 502, TRANSIENT)                                    \
    X(SOURCE_DNS_ERROR, "source-dns-error", 502, TRANSIENT)                                        \
    X(SOURCE_UNKNOWN_HOST, "source-unknown-host", 502, TRANSIENT) /* twice: proto/transition.c */  \
    X(SOURCE_TIMEOUT, "source-timeout", 504, TRANSIENT)                                            \
    X(SOURCE_TLS_ERROR, "source-tls-error", 502, PERMANENT)                                        \
    X(SOURCE_TOO_LARGE, "source-too-large", 422, PERMANENT)                                        \
    X(SOURCE_TRUNCATED, "source-truncated", 502, TRANSIENT)                                        \
    X(TOO_MANY_REDIRECTS, "too-many-redirects", 502, PERMANENT)                                    \
    X(EMPTY_SOURCE, "empty-source", 422, PERMANENT)                                                \
    /* media */                                                                                    \
    X(UNSUPPORTED_MEDIA, "unsupported-media", 422, PERMANENT)                                      \
    X(CORRUPT_MEDIA, "corrupt-media", 422, PERMANENT)                                              \
    X(DIMENSIONS_TOO_LARGE, "dimensions-too-large", 422, PERMANENT)                                \
    X(TOO_MANY_STREAMS, "too-many-streams", 422, PERMANENT)                                        \
    X(DURATION_TOO_LONG, "duration-too-long", 422, PERMANENT)                                      \
    X(NO_VIDEO_STREAM, "no-video-stream", 422, PERMANENT)                                          \
    X(NO_FRAMES, "no-frames", 422, PERMANENT)                                                      \
    X(ENCRYPTED_MEDIA, "encrypted-media", 422, PERMANENT)                                          \
    X(UNSUPPORTED_IMAGE, "unsupported-image", 422, PERMANENT)                                      \
    X(CORRUPT_IMAGE, "corrupt-image", 422, PERMANENT)                                              \
    X(TOO_MANY_SCANS, "too-many-scans", 422, PERMANENT)                                            \
    /* storage */                                                                                  \
    /* Of one task only; when the bucket denies everything, runs are handed back, see worker/circuit.h. */ \
    X(STORAGE_AUTH, "storage-auth", 502, TRANSIENT)                                                \
    X(STORAGE_BUCKET, "storage-bucket", 502, TRANSIENT)                                            \
    X(STORAGE_UNAVAILABLE, "storage-unavailable", 503, TRANSIENT)                                  \
    X(STORAGE_TIMEOUT, "storage-timeout", 504, TRANSIENT)                                          \
    X(STORAGE_MISMATCH, "storage-mismatch", 502, TRANSIENT) /* size or checksum differ */          \
    X(STORAGE_DISABLED, "storage-disabled", 409, PERMANENT)                                        \
    X(STORAGE_UNSUPPORTED, "storage-unsupported", 501, PERMANENT) /* the storage has no such thing */ \
    X(OBJECT_NOT_FOUND, "object-not-found", 404, PERMANENT)                                        \
    X(OWNER_UNCLEAR, "owner-unclear", 409, PERMANENT) /* of an object without a row */              \
    X(OBJECT_TOO_LARGE, "object-too-large", 422, PERMANENT)                                        \
    X(CLOCK_SKEW, "clock-skew", 502, TRANSIENT)                                                    \
    X(DISK_FULL, "disk-full", 507, TRANSIENT)                                                      \
    X(IO_ERROR, "io-error", 500, TRANSIENT)                                                        \
    /* runs */                                                                                     \
    X(CANCELLED, "cancelled", 409, PERMANENT)                                                      \
    X(DEADLINE_EXCEEDED, "deadline-exceeded", 504, PERMANENT)                                      \
    X(TIMEOUT, "timeout", 504, TRANSIENT)                                                          \
    X(WORKER_CRASH, "worker-crash", 500, PERMANENT)                                                \
    X(LEASE_LOST, "lease-lost", 500, RELEASED)                                                     \
    X(SKIPPED, "skipped", 409, PERMANENT) /* an optional task that was not waited for */           \
    X(DEBUG_TRANSIENT, "debug-transient", 500, TRANSIENT)                                          \
    X(DEBUG_PERMANENT, "debug-permanent", 500, PERMANENT)                                          \
    X(CONFIG, "invalid-configuration", 500, PERMANENT)                                             \
    X(INTERNAL, "internal", 500, TRANSIENT)

enum error {
    ERR_NONE,
#define X(suffix, name, status, class) ERR_##suffix,
    ERROR_TABLE(X)
#undef X
        ERR_COUNT
};

/* Wire names by code, [ERR_NONE] NULL and a NULL at the end: the name list of an enum field (proto/doc.h). */
extern const char *const error_names[];

/* Of any code, also ERR_NONE ("none", 200) and codes out of range (as INTERNAL). */
const char *error_name(enum error code);
int error_status(enum error code);
enum error_class error_class(enum error code);

#endif
