/* Inside common/bucket: a server of S3's API, and what we know of it. Nobody but bucket_s3.c and s3*.c includes it. */
#ifndef COMMON_S3_SERVER_H
#define COMMON_S3_SERVER_H

#include "common/bucket_backend.h"
#include "common/http.h"
#include "common/sigv4.h"

enum { S3_PARALLEL_MAX = 64 };

/* What the server compares a body with, each with what is before it: found out by s3_learn.
 * SHA256: the one that its request is signed with; SUMS: the one of x-amz-checksum-sha256. */
enum s3_checks { S3_CHECKS_UNKNOWN, S3_CHECKS_LESS, S3_CHECKS_SHA256, S3_CHECKS_SUMS };

struct s3 {
    struct bucket bucket;
    struct http *http;
    struct sigv4_key key;
    const char *origin, *host; /* "http://host:port", "host:port" */
    const char *path;          /* of the bucket: "/name" */
    bool create;
    int parallel;
    enum s3_checks checks;
    int64_t put_bytes; /* asked for so far */
};

/* Finds out what the server checks, at the price of one or two small PUTs that it must refuse; nothing, if that fails. Ends
 * when watch->stopped says so. */
void s3_learn(struct s3 *s3, const struct bucket_watch *watch);

#endif
