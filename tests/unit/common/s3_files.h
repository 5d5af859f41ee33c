/* Two files, and the answers of a server that stores them: for tests of what goes with them. */
#ifndef TESTS_S3_FILES_H
#define TESTS_S3_FILES_H

#include "s3_stub.h"

#include <fcntl.h>

#include "common/digest.h"

enum { SMALL = 1000, LARGE = 64 << 20 }; /* large: enough to ask what the server checks; 4 parts */

#define STORED ANSWER("")
#define MISMATCH REFUSAL("400", "XAmzContentSHA256Mismatch")
/* What is asked with two wrong sums. */
#define COMPARES_SHA256 {.answer = MISMATCH}, {.answer = REFUSAL("501", "NotImplemented")}
#define COMPARES_SUMS {.answer = MISMATCH}, {.answer = REFUSAL("400", "BadDigest")}
#define BEGUN_WITH(headers)                                                                        \
    "HTTP/1.1 200 OK\r\n" headers "Connection: close\r\n\r\n"                                      \
    "<InitiateMultipartUploadResult><UploadId>U</UploadId></InitiateMultipartUploadResult>"
#define BEGUN BEGUN_WITH("")
#define BEGUN_SUMMED BEGUN_WITH("x-amz-checksum-algorithm: SHA256\r\n")
#define PART "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: \"e\"\r\nConnection: close\r\n\r\n"
/* An ETag that is the MD5 of something else. */
#define WRONG                                                                                      \
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nETag: \"00000000000000000000000000000000\"\r\n"       \
    "Connection: close\r\n\r\n"
#define COMPLETED ANSWER("<CompleteMultipartUploadResult></CompleteMultipartUploadResult>")
#define HEAD "HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\nETag: \"e-4\"\r\nConnection: close\r\n\r\n"
#define GONE "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"

static char small_path[] = "/tmp/s3_files_test.XXXXXX", large_path[] = "/tmp/s3_files_test.XXXXXX";
static char small_sha256[DIGEST_HEX_LEN + 1], large_sha256[DIGEST_HEX_LEN + 1];

static inline void make_file(char *path, off_t len, char sha256[DIGEST_HEX_LEN + 1])
{
    static const char zeros[1 << 16];
    uint8_t sum[DIGEST_LEN];
    struct digest *digest = digest_begin();
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    CHECK_INT(ftruncate(fd, len), 0);
    close(fd);
    for (off_t left = len; left > 0; left -= (off_t)sizeof zeros)
        digest_add(digest, zeros, left < (off_t)sizeof zeros ? (size_t)left : sizeof zeros);
    digest_end(digest, sum);
    digest_hex(sum, sha256);
}

static inline struct bucket_put small_put(const char *sha256)
{
    return (struct bucket_put){
        .key = "p/a.m4s", .path = small_path, .size_bytes = SMALL, .sha256 = sha256};
}

static inline struct bucket_put large_put(const char *sha256)
{
    return (struct bucket_put){
        .key = "p/source.mp4", .path = large_path, .size_bytes = LARGE, .sha256 = sha256};
}

static inline void put(struct bucket *bucket, struct bucket_put one, enum error code)
{
    err = (struct err){0};
    CHECK_INT(bucket_put(bucket, &one, 1, NULL, &arena, &err), code ? -1 : 0);
    CHECK_INT(err.code, code);
}

static inline bool has(size_t request, const char *name, const char *value)
{
    return strcasestr(server.heads[request], arena_printf(&arena, "\r\n%s: %s", name, value));
}

static inline void make_files(void)
{
    make_file(small_path, SMALL, small_sha256);
    make_file(large_path, LARGE, large_sha256);
}

static inline void remove_files(void)
{
    unlink(small_path);
    unlink(large_path);
    arena_release(&arena);
}

#endif
