/* What the body of a call hashes to: SHA-256 for its signature, MD5 for servers that may check
 * nothing else. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/s3.h"

enum {
    PIECE_BYTES = 64 << 10,
    GO_ON_BYTES = 4 * PIECE_BYTES, /* a quarter of a millisecond: no socket runs dry meanwhile */
    HASHES = 3
};

/* Those that are wanted; the others are NULL. */
struct hashes {
    struct digest *at[HASHES];
};

static void add(const struct hashes *hashes, const void *bytes, size_t len)
{
    for (size_t i = 0; i < HASHES; i++)
        if (hashes->at[i])
            digest_add(hashes->at[i], bytes, len);
}

static int add_file(const struct s3 *s3, const struct s3_call *call, const struct hashes *hashes,
                    struct err *err)
{
    char piece[PIECE_BYTES];
    for (int64_t at = 0; at < call->body_len;) {
        int64_t left = call->body_len - at;
        size_t want = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
        ssize_t got = pread(call->body_fd, piece, want, call->body_offset + at);
        if (got < 0)
            return err_errno(err, errno, "read the file of '%.200s'", call->key);
        if (got == 0)
            return err_set(err, ERR_STORAGE_MISMATCH, "the file of '%.200s' became shorter",
                           call->key);
        add(hashes, piece, (size_t)got);
        at += got;
        if (at % GO_ON_BYTES == 0)
            http_go_on(s3->http);
    }
    return 0;
}

static void end_md5(struct s3_call *call, struct digest *md5)
{
    uint8_t sum[DIGEST_LEN] = {0};
    char hex[DIGEST_HEX_LEN + 1];
    digest_end(md5, sum);
    digest_base64(sum, DIGEST_MD5_LEN, call->md5_base64);
    digest_hex(sum, hex);
    memcpy(call->md5, hex, sizeof call->md5 - 1);
    call->md5[sizeof call->md5 - 1] = '\0';
}

int s3_hash(const struct s3 *s3, struct s3_call *call, const char **sha256, struct err *err)
{
    bool compared = s3->checks >= S3_CHECKS_SHA256;
    uint8_t sum[DIGEST_LEN];
    char hex[DIGEST_HEX_LEN + 1];
    bool known = call->body_sha256 && compared && !call->reread;
    bool named = compared && call->named;
    const struct hashes hashes = {
        {known ? NULL : digest_begin(), named ? NULL : digest_begin_md5(), call->also}};
    int failed = 0;
    call->md5[0] = '\0';
    if (call->body)
        add(&hashes, call->body, (size_t)call->body_len);
    else if (!known || !named || call->also)
        failed = add_file(s3, call, &hashes, err);
    if (!named)
        end_md5(call, hashes.at[1]);
    if (!known)
        digest_end(hashes.at[0], sum);
    *sha256 = call->body_sha256;
    if (failed || known)
        return failed;
    digest_hex(sum, hex);
    if (call->body_sha256 && strcmp(hex, call->body_sha256) != 0)
        return err_set(err, ERR_STORAGE_MISMATCH, "the file of '%.200s' is not what it was",
                       call->key);
    *sha256 = arena_strdup(call->arena, hex);
    return 0;
}
