/* What the body of a call hashes to: SHA-256 for its signature, MD5 for servers that may check
 * nothing else. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/md5_lanes.h"
#include "common/s3.h"

enum { PIECE_BYTES = 64 << 10, LANE_BYTES = 32 << 10, HASHES = 3 };

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

/* Reads the whole piece of the body that begins at `at`. */
static int read_piece(const struct s3_call *call, int64_t at, uint8_t *piece, size_t len,
                      struct err *err)
{
    for (size_t have = 0; have < len;) {
        ssize_t got =
            pread(call->body_fd, piece + have, len - have, call->body_offset + at + (off_t)have);
        if (got < 0)
            return err_errno(err, errno, "read the file of '%.200s'", call->key);
        if (got == 0)
            return err_set(err, ERR_STORAGE_MISMATCH, "the file of '%.200s' became shorter",
                           call->key);
        have += (size_t)got;
    }
    return 0;
}

static int add_file(const struct s3_call *call, const struct hashes *hashes, struct err *err)
{
    uint8_t piece[PIECE_BYTES];
    for (int64_t at = 0; at < call->body_len; at += PIECE_BYTES) {
        int64_t left = call->body_len - at;
        size_t len = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
        if (read_piece(call, at, piece, len, err))
            return -1;
        add(hashes, piece, len);
    }
    return 0;
}

/* sum: DIGEST_LEN bytes, of which MD5 has the first ones. */
static void keep_md5(struct s3_call *call, const uint8_t *sum)
{
    char hex[DIGEST_HEX_LEN + 1];
    digest_hex(sum, hex);
    memcpy(call->md5, hex, sizeof call->md5 - 1);
    call->md5[sizeof call->md5 - 1] = '\0';
}

static void end_md5(struct s3_call *call, struct digest *md5)
{
    uint8_t sum[DIGEST_LEN] = {0};
    digest_end(md5, sum);
    digest_base64(sum, DIGEST_MD5_LEN, call->md5_base64);
    keep_md5(call, sum);
}

int s3_hash(struct s3_call *call, bool compared, const char **sha256, struct err *err)
{
    uint8_t sum[DIGEST_LEN];
    char hex[DIGEST_HEX_LEN + 1];
    bool known = call->body_sha256 && compared && !call->reread;
    bool later = compared && !call->body; /* by s3_md5s: the ETag alone is compared with it */
    const struct hashes hashes = {
        {known ? NULL : digest_begin(), later ? NULL : digest_begin_md5(), call->also}};
    int failed = 0;
    call->md5[0] = '\0';
    if (call->body)
        add(&hashes, call->body, (size_t)call->body_len);
    else if (!known || !later || call->also)
        failed = add_file(call, &hashes, err);
    if (!later)
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

/* Bodies whose MD5s are made together. */
struct together {
    struct s3_call *const *calls;
    struct md5_lanes lanes;
    int64_t at[MD5_LANES]; /* read so far; -1: ended */
    uint8_t bytes[MD5_LANES][LANE_BYTES + MD5_PAD_MAX];
};

/* Reads the next piece of one body, and says how many blocks it has. */
static int read_blocks(struct together *together, size_t i, size_t *blocks, struct err *err)
{
    const struct s3_call *call = together->calls[i];
    int64_t left = call->body_len - together->at[i];
    size_t len = left < LANE_BYTES ? (size_t)left : LANE_BYTES;
    if (read_piece(call, together->at[i], together->bytes[i], len, err)) {
        together->at[i] = -1;
        return -1;
    }
    together->at[i] += (int64_t)len;
    if (together->at[i] == call->body_len)
        len += md5_lanes_pad(together->bytes[i] + len, (uint64_t)call->body_len);
    *blocks = len / MD5_BLOCK;
    return 0;
}

/* One piece of each; false when all have ended. */
static bool add_pieces(struct together *together, size_t len, struct err *errs)
{
    const uint8_t *bytes[MD5_LANES] = {NULL};
    size_t blocks[MD5_LANES] = {0};
    bool more = false;
    for (size_t i = 0; i < len; i++) {
        bytes[i] = together->bytes[i];
        if (together->at[i] >= 0 && read_blocks(together, i, &blocks[i], &errs[i]) == 0)
            more = true;
    }
    md5_lanes_add(&together->lanes, bytes, blocks);
    for (size_t i = 0; i < len; i++) {
        uint8_t sum[DIGEST_LEN] = {0};
        if (together->at[i] != together->calls[i]->body_len)
            continue;
        md5_lanes_get(&together->lanes, i, sum);
        keep_md5(together->calls[i], sum);
        together->at[i] = -1;
    }
    return more;
}

static bool is_stopped(const struct bucket_watch *watch)
{
    return watch && watch->stopped && watch->stopped(watch->arg);
}

void s3_md5s(struct s3_call *const *calls, size_t len, struct err *errs)
{
    struct together *together = malloc(sizeof *together);
    if (!together)
        abort();
    together->calls = calls;
    memset(together->at, 0, sizeof together->at);
    md5_lanes_begin(&together->lanes);
    while (add_pieces(together, len, errs)) {
        for (size_t i = 0; i < len; i++) {
            if (!is_stopped(calls[i]->watch))
                continue;
            err_set(&errs[i], ERR_CANCELLED, "storing was stopped");
            together->at[i] = -1;
        }
    }
    free(together);
}
