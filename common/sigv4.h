/* AWS Signature Version 4 as S3 uses it: canonical request, Authorization header, presigned query.
 * Pure. */
#ifndef COMMON_SIGV4_H
#define COMMON_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"

#define SIGV4_UNSIGNED "UNSIGNED-PAYLOAD"
/* What a payload of no bytes hashes to. */
#define SIGV4_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct sigv4_key {
    const char *access_key, *secret_key, *region, *service; /* service: "s3" */
};
struct sigv4_pair {
    const char *name, *value;
};
/* Everything raw: the path is encoded once with its slashes kept, queries wholly, as S3 has it.
 * Every header is signed: host and x-amz-date must be among them (presigned: host alone). */
struct sigv4_request {
    const char *method, *path;
    const struct sigv4_pair *query, *headers;
    size_t query_len, headers_len;
    const char *payload_sha256; /* hex, or SIGV4_UNSIGNED */
    int64_t at_s;               /* the wall clock's */
};

/* The value of the Authorization header. Strings are the arena's, here and below. */
const char *sigv4_authorization(const struct sigv4_key *key, const struct sigv4_request *request,
                                struct arena *arena);
/* The encoded query of a presigned URL, from X-Amz-Algorithm to X-Amz-Signature; the payload is
 * unsigned. */
const char *sigv4_presign(const struct sigv4_key *key, const struct sigv4_request *request,
                          int64_t expires_s, struct arena *arena);

const char *sigv4_canonical(const struct sigv4_request *request, struct arena *arena);
/* Sorted and encoded: "a=1&b=" — what is signed is also what is sent. */
const char *sigv4_query(const struct sigv4_pair *query, size_t len, struct arena *arena);
const char *sigv4_encode(const char *text, bool keep_slashes, struct arena *arena);

#endif
