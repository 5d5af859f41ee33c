/* Inside common/bucket: calls of S3's API, signed, judged and tried again. Nobody but bucket_s3.c
 * and s3*.c includes it. */
#ifndef COMMON_S3_H
#define COMMON_S3_H

#include "common/bucket_backend.h"
#include "common/http.h"
#include "common/sigv4.h"

enum {
    S3_TRIES = 6,
    S3_PARALLEL_MAX = 64,
    S3_PAIRS = 8,
    S3_ERROR_BYTES = 8 << 10,
    S3_ANSWER_BYTES = 4 << 20
};

struct s3 {
    struct bucket bucket;
    struct http *http;
    struct sigv4_key key;
    const char *origin, *host; /* "http://host:port", "host:port" */
    const char *path;          /* of the bucket: "/name" */
    bool create;
    int parallel;
};

/* One call. The caller fills the first part. */
struct s3_call {
    const char *method, *key; /* key NULL: of the bucket itself */
    struct sigv4_pair query[S3_PAIRS], headers[S3_PAIRS];
    size_t query_len, headers_len;
    const char *body; /* or, with NULL, body_fd from body_offset */
    int body_fd;
    int64_t body_offset, body_len;
    int64_t max_bytes; /* of the answer; 0: 8 KiB */
    bool patient;      /* the server may think for minutes before it answers */
    /* Takes the body of a success instead of http.text. */
    int (*write)(struct s3_call *call, const char *bytes, size_t len, struct err *err);
    /* Before another try: what it says anew. true: something was gained, the tries count from the
     * beginning. */
    bool (*again)(struct s3_call *call);
    void *arg;         /* theirs */
    bool spoiled;      /* sent with a wrong Content-MD5: nothing is stored, whatever the answer */
    const struct bucket_watch *watch;
    struct arena *arena; /* for everything below */
    /* The answer. */
    struct http_request http;
    const char *sha256, *cache_control;
    bool foreign_etag; /* encrypted: its ETag is no MD5 though it looks like one */
    char md5[33];      /* of the body, hex */
    char code[64];     /* S3's own word for a failure */
    int64_t sent, reported;
};

void s3_query(struct s3_call *call, const char *name, const char *value);
void s3_header(struct s3_call *call, const char *name,
               const char *value); /* NULL values are left out */

/* Hashes the body, signs, fills call->http; anew for every try. */
int s3_prepare(const struct s3 *s3, struct s3_call *call, struct err *err);
/* What came of it: 0 success; 1 worth another try; -1 not. */
int s3_judge(struct s3_call *call, struct err *err);
/* Which error one of S3's codes is; 1 if another try may help. */
int s3_code_error(const char *code, int status, enum error *error);
/* The pause after so many tries, or -1: the server asks for more patience than we have within a
 * call. */
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
