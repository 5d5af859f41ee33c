/* Inside common/bucket: calls of S3's API, signed, judged and tried again. Nobody but bucket_s3.c
 * and s3*.c includes it. */
#ifndef COMMON_S3_H
#define COMMON_S3_H

#include "common/digest.h"
#include "common/s3_server.h"

enum {
    S3_TRIES = 6,
    S3_PAIRS = 8,
    S3_ERROR_BYTES = 8 << 10,
    S3_ANSWER_BYTES = 4 << 20
};

/* Which checksum is sent wrong, so that nothing is stored. */
enum s3_spoil { SPOIL_NOTHING, SPOIL_MD5, SPOIL_SHA256, SPOIL_SUM };

/* One call. The caller fills the first part. */
struct s3_call {
    const char *method, *key; /* key NULL: of the bucket itself */
    struct sigv4_pair query[S3_PAIRS], headers[S3_PAIRS];
    size_t query_len, headers_len;
    const char *body; /* or, with NULL, body_fd from body_offset */
    int body_fd;
    int64_t body_offset, body_len;
    const char *body_sha256; /* hex, if it is known; what is read must agree */
    bool reread;             /* although it is known */
    struct digest *also;     /* takes the body, too, when it is hashed */
    bool named;              /* the answer's ETag is a name, and no sum to compare */
    bool summed;             /* its SHA-256 goes as x-amz-checksum-sha256, and not into the signature */
    int64_t max_bytes; /* of the answer; 0: 8 KiB */
    bool patient;      /* the server may think for minutes before it answers */
    /* Takes the body of a success instead of http.text. */
    int (*write)(struct s3_call *call, const char *bytes, size_t len, struct err *err);
    /* Before another try: what it says anew. true: something was gained, the tries count from the
     * beginning. */
    bool (*again)(struct s3_call *call);
    void *arg;         /* theirs */
    enum s3_spoil spoil;
    const struct bucket_watch *watch;
    struct arena *arena; /* for everything below */
    /* The answer. */
    struct http_request http;
    const char *sha256, *cache_control;
    const char *told_sum; /* what the server says it got, in Base64 */
    bool foreign_etag; /* encrypted: its ETag is no MD5 though it looks like one */
    bool takes_sums;   /* the upload that was begun wants its parts summed */
    char md5[33], md5_base64[25]; /* of the body; "": not needed */
    char sum[DIGEST_BASE64_LEN + 1]; /* of a summed body */
    char code[64];     /* S3's own word for a failure */
    int64_t sent, reported;
};

void s3_query(struct s3_call *call, const char *name, const char *value);
void s3_header(struct s3_call *call, const char *name, const char *value); /* NULL values are left out */

/* The body's SHA-256 as hex, and call->md5. Where the server compares it, one which is known need not be made anew, and
 * where the ETag is but a name, no MD5. Calls that are under way go on meanwhile. */
int s3_hash(const struct s3 *s3, struct s3_call *call, const char **sha256, struct err *err);
/* Hashes the body, signs, fills call->http; anew for every try. */
int s3_prepare(const struct s3 *s3, struct s3_call *call, struct err *err);
/* What came of it: 0 success; 1 worth another try; -1 not. */
int s3_judge(struct s3_call *call, struct err *err);
/* Which error one of S3's codes is; 1 if another try may help. */
int s3_code_error(const char *code, int status, enum error *error);
/* The pause after so many tries, or -1: the server asks for more patience than we have within a call. */
int64_t s3_pause_ms(int tries, int64_t retry_after_ms);
/* Tells the bucket's watch that a request is sent again. */
void s3_note_retry(const struct s3 *s3);
/* Prepares and performs until it succeeds, is not worth another try, or has had its tries. */
int s3_perform(struct s3 *s3, struct s3_call *call, struct err *err);
/* The ETag without its quotes; NULL stays NULL. */
const char *s3_etag(const char *etag, struct arena *arena);

/* The object that a call's answer told of. */
void s3_object(const struct s3_call *call, struct object *out);

#endif
