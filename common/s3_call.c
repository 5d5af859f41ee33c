/* One call of S3's API: hash, sign, perform, judge. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "common/clock.h"
#include "common/s3.h"
#include "common/s3_xml.h"

enum {
    STALL_BYTES = 1024, /* fewer a second … */
    STALL_S = 30,       /* … for so long: the connection hangs */
    PATIENCE_MS = 600000,
    PAUSE_MS = 200,
    PAUSE_MAX_MS = 20000
};

#define MD5_OF_NOTHING "1B2M2Y8AsgTpgAmY7PhCfg=="

void s3_query(struct s3_call *call, const char *name, const char *value)
{
    call->query[call->query_len++] = (struct sigv4_pair){name, value};
}

void s3_header(struct s3_call *call, const char *name, const char *value)
{
    if (value)
        call->headers[call->headers_len++] = (struct sigv4_pair){name, value};
}

const char *s3_etag(const char *etag, struct arena *arena)
{
    size_t len = etag ? strlen(etag) : 0;
    if (len < 2 || etag[0] != '"' || etag[len - 1] != '"')
        return arena_strdup(arena, etag);
    return arena_strndup(arena, etag + 1, len - 2);
}

static bool is_stopped(void *arg)
{
    const struct bucket_watch *watch = ((struct s3_call *)arg)->watch;
    return watch && watch->stopped && watch->stopped(watch->arg);
}

/* Bytes that are sent a second time are not told again: the sum stays the size of what is stored.
 */
static void on_sent(void *arg, int64_t bytes)
{
    struct s3_call *call = arg;
    if (call->body) /* of our own making, no part of any file */
        return;
    call->sent += bytes;
    int64_t whole = call->sent < call->body_len ? call->sent : call->body_len;
    if (whole <= call->reported)
        return;
    if (call->watch && call->watch->sent)
        call->watch->sent(call->watch->arg, whole - call->reported);
    call->reported = whole;
}

static int on_header(void *arg, int status, const char *name, const char *value, struct err *err)
{
    struct s3_call *call = arg;
    (void)status;
    (void)err;
    if (strcasecmp(name, "x-amz-meta-sha256") == 0)
        call->sha256 = value;
    else if (strcasecmp(name, "cache-control") == 0)
        call->cache_control = value;
    else if (strcasecmp(name, "x-amz-checksum-sha256") == 0)
        call->told_sum = value;
    else if (strcasecmp(name, "x-amz-checksum-algorithm") == 0)
        call->takes_sums = strcasecmp(value, "SHA256") == 0;
    else if (strcasecmp(name, "x-amz-server-side-encryption") == 0)
        call->foreign_etag = strncmp(value, "aws:kms", 7) == 0;
    else if (strcasecmp(name, "x-amz-server-side-encryption-customer-algorithm") == 0)
        call->foreign_etag = true;
    return 0;
}

/* The body of a refusal is read as ever, by s3_judge. */
static int on_write(void *arg, int status, const char *bytes, size_t len, struct err *err)
{
    struct s3_call *call = arg;
    if (status >= 200 && status < 300)
        return call->write(call, bytes, len, err);
    if (call->http.text.len < S3_ERROR_BYTES)
        text_add(&call->http.text, bytes,
                 len < S3_ERROR_BYTES - call->http.text.len ? len
                                                            : S3_ERROR_BYTES - call->http.text.len);
    return 0;
}

static void fill_request(const struct s3 *s3, struct s3_call *call, const char *path,
                         const struct sigv4_pair *headers, size_t headers_len)
{
    struct arena *arena = call->arena;
    const char *query = sigv4_query(call->query, call->query_len, arena);
    struct http_header *sent = arena_alloc_array(arena, headers_len, sizeof *sent);
    for (size_t i = 0; i < headers_len; i++)
        sent[i] = (struct http_header){headers[i].name, headers[i].value};
    call->http = (struct http_request){
        .method = call->method,
        .url = arena_printf(arena, "%s%s%s%s", s3->origin, sigv4_encode(path, true, arena),
                            *query ? "?" : "", query),
        .headers = sent,
        .headers_len = headers_len,
        .body = call->body,
        .body_fd = call->body_fd,
        .body_offset = call->body_offset,
        .body_len = call->body_len,
        .total_timeout_ms = call->patient ? PATIENCE_MS : 0,
        .low_speed_bytes = call->patient ? 0 : STALL_BYTES,
        .low_speed_s = call->patient ? 0 : STALL_S,
        .max_bytes = call->max_bytes > S3_ERROR_BYTES ? call->max_bytes : S3_ERROR_BYTES,
        .on_limit = ERR_OBJECT_TOO_LARGE,
        .header = on_header,
        .write = call->write ? on_write : NULL,
        .stopped = is_stopped,
        .sent = on_sent,
        .arg = call,
        .text.arena = arena,
    };
}

/* The sum of nothing stands for the body's, in the signature or beside it. */
static bool has_wrong_sha256(const struct s3_call *call)
{
    return call->spoil == SPOIL_SHA256 || call->spoil == SPOIL_SUM;
}

/* Of files a server that compares them with their SHA-256 need not be told the MD5, whose making
 * costs it more than most else it does; of one that is no name (call->named) we compare the ETag
 * with it all the same. Some calls with a document demand it. */
static bool needs_md5(const struct s3 *s3, const struct s3_call *call)
{
    return !has_wrong_sha256(call) && (call->body || s3->checks < S3_CHECKS_SHA256);
}

/* Whoever changes a body on its way would have to change a signed header with it. */
static const char *sum_up(struct s3_call *call, const char *sha256, struct sigv4_pair *headers,
                          size_t *len)
{
    if (!call->summed || digest_hex_base64(sha256, call->sum))
        return sha256;
    headers[(*len)++] = (struct sigv4_pair){"x-amz-checksum-sha256", call->sum};
    return "UNSIGNED-PAYLOAD";
}

int s3_prepare(const struct s3 *s3, struct s3_call *call, struct err *err)
{
    enum { OWN = 5 };
    struct arena *arena = call->arena;
    char time[17];
    const char *hash = SIGV4_EMPTY;
    bool has_body = call->body_len > 0 || strcmp(call->method, "PUT") == 0;
    if (has_body && s3_hash(s3, call, &hash, err))
        return -1;
    if (has_wrong_sha256(call))
        hash = SIGV4_EMPTY;
    int64_t now_s = clock_wall_s();
    clock_format_basic(now_s, time);
    struct sigv4_pair *headers = arena_alloc_array(arena, call->headers_len + OWN, sizeof *headers);
    headers[0] = (struct sigv4_pair){"host", s3->host};
    headers[1] = (struct sigv4_pair){"x-amz-date", arena_strdup(arena, time)};
    memcpy(headers + 3, call->headers, call->headers_len * sizeof *headers);
    size_t len = call->headers_len + 3;
    hash = sum_up(call, hash, headers, &len);
    headers[2] = (struct sigv4_pair){"x-amz-content-sha256", hash};
    if (has_body && needs_md5(s3, call))
        headers[len++] = (struct sigv4_pair){
            "content-md5", call->spoil == SPOIL_MD5 ? MD5_OF_NOTHING : call->md5_base64};
    const char *path =
        arena_printf(arena, "%s%s%s", s3->path, call->key ? "/" : "", call->key ? call->key : "");
    const struct sigv4_request request = {
        .method = call->method,
        .path = path,
        .query = call->query,
        .query_len = call->query_len,
        .headers = headers,
        .headers_len = len,
        .payload_sha256 = hash,
        .at_s = now_s,
    };
    /* libcurl sends Host by itself; its place is taken by the signature. */
    const char *authorization = sigv4_authorization(&s3->key, &request, arena);
    headers[0] = (struct sigv4_pair){"authorization", authorization};
    fill_request(s3, call, path, headers, len);
    call->code[0] = '\0';
    call->sent = 0;
    return 0;
}

/* What S3's words mean. `again`: another try may help. */
static const struct {
    const char *code;
    enum error error;
    bool again;
} codes[] = {
    {"AccessDenied", ERR_STORAGE_AUTH, false},
    {"InvalidAccessKeyId", ERR_STORAGE_AUTH, false},
    {"SignatureDoesNotMatch", ERR_STORAGE_AUTH, false},
    {"ExpiredToken", ERR_STORAGE_AUTH, false},
    {"AuthorizationHeaderMalformed", ERR_CONFIG, false}, /* another region */
    {"PermanentRedirect", ERR_CONFIG, false},
    {"RequestTimeTooSkewed", ERR_CLOCK_SKEW, false},
    {"NoSuchBucket", ERR_STORAGE_BUCKET, false},
    {"InvalidBucketName", ERR_STORAGE_BUCKET, false},
    {"NoSuchKey", ERR_OBJECT_NOT_FOUND, false},
    {"NotImplemented", ERR_STORAGE_UNSUPPORTED, false},
    {"NoSuchUpload", ERR_STORAGE_UNAVAILABLE, false},
    {"EntityTooLarge", ERR_OBJECT_TOO_LARGE, false},
    {"BadDigest", ERR_STORAGE_MISMATCH, true},
    {"InvalidDigest", ERR_STORAGE_MISMATCH, true},
    {"XAmzContentSHA256Mismatch", ERR_STORAGE_MISMATCH, true},
    {"XAmzContentChecksumMismatch", ERR_STORAGE_MISMATCH, true}, /* MinIO's */
    {"IncompleteBody", ERR_STORAGE_MISMATCH, true},
    {"InvalidPart", ERR_STORAGE_MISMATCH, false}, /* its ETag is another one than we were told */
    {"RequestTimeout", ERR_STORAGE_TIMEOUT, true},
    {"SlowDown", ERR_STORAGE_UNAVAILABLE, true},
    {"TooManyRequests", ERR_STORAGE_UNAVAILABLE, true},
    {"InternalError", ERR_STORAGE_UNAVAILABLE, true},
    {"ServiceUnavailable", ERR_STORAGE_UNAVAILABLE, true},
    {"OperationAborted", ERR_STORAGE_UNAVAILABLE, true},
};

int s3_code_error(const char *code, int status, enum error *error)
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (strcmp(code, codes[i].code) != 0)
            continue;
        *error = codes[i].error;
        return codes[i].again;
    }
    *error = status == 501                    ? ERR_STORAGE_UNSUPPORTED
             : status == 401 || status == 403 ? ERR_STORAGE_AUTH
             : status == 404                  ? ERR_OBJECT_NOT_FOUND
             : status >= 301 && status < 400  ? ERR_CONFIG
                                              : ERR_STORAGE_UNAVAILABLE;
    return status == 408 || status == 429 || (status >= 500 && status != 501);
}

struct told {
    char code[64], message[200];
};

static int read_error(void *arg, const char *path, const char *text)
{
    struct told *told = arg;
    if (strcmp(path, "Error/Code") == 0)
        snprintf(told->code, sizeof told->code, "%s", text);
    else if (strcmp(path, "Error/Message") == 0)
        snprintf(told->message, sizeof told->message, "%s", text);
    return 0;
}

/* The network's failures in the storage's words. */
static int judge_transport(const struct s3_call *call, struct err *err)
{
    static const struct {
        enum error from, to;
        bool again;
    } rows[] = {
        {ERR_SOURCE_DNS_ERROR, ERR_STORAGE_UNAVAILABLE, true},
        {ERR_SOURCE_UNREACHABLE, ERR_STORAGE_UNAVAILABLE, true},
        {ERR_SOURCE_TRUNCATED, ERR_STORAGE_UNAVAILABLE, true},
        {ERR_SOURCE_UNAVAILABLE, ERR_STORAGE_UNAVAILABLE, true},
        {ERR_SOURCE_REFUSED, ERR_STORAGE_UNAVAILABLE, false},
        {ERR_SOURCE_TIMEOUT, ERR_STORAGE_TIMEOUT, true},
        {ERR_SOURCE_TLS_ERROR, ERR_STORAGE_UNAVAILABLE, false},
        {ERR_INVALID_URL, ERR_CONFIG, false},
    };
    *err = call->http.err;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].from != err->code)
            continue;
        err->code = rows[i].to;
        return rows[i].again ? 1 : -1;
    }
    return -1;
}

int s3_judge(struct s3_call *call, struct err *err)
{
    const struct http_request *http = &call->http;
    const char *body = http->text.len > 0 ? http->text.at : "";
    struct told told = {0};
    struct err ignored = {0};
    if (http->err.code != ERR_NONE)
        return judge_transport(call, err);
    /* Some calls begin to answer 200 before they know how it ends. */
    bool ok = http->status >= 200 && http->status < 300;
    if (ok && !(call->patient && strstr(body, "<Error")))
        return 0;
    /* Without a readable explanation the status alone decides. */
    (void)s3_xml_read(body, http->text.len, "Error", read_error, &told, &ignored);
    memcpy(call->code, told.code, sizeof call->code);
    enum error error;
    int again = s3_code_error(told.code, ok ? 500 : http->status, &error);
    err_set(err, error, "%s '%.160s': %d %s %s", call->method, call->key ? call->key : "",
            http->status, told.code, told.message);
    err->retry_after_ms = http->retry_after_ms;
    return again ? 1 : -1;
}

int64_t s3_pause_ms(int tries, int64_t retry_after_ms)
{
    uint32_t random = 0;
    int64_t most = PAUSE_MS;
    for (int i = 1; i < tries && most < PAUSE_MAX_MS; i++)
        most *= 2;
    if (most > PAUSE_MAX_MS)
        most = PAUSE_MAX_MS;
    if (retry_after_ms > PAUSE_MAX_MS)
        return -1;
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        random = UINT32_MAX / 2;
    int64_t pause = (int64_t)random * most / UINT32_MAX;
    return pause > retry_after_ms ? pause : retry_after_ms;
}

static int sleep_watched(struct s3_call *call, int64_t ms, struct err *err)
{
    for (int64_t until = clock_mono_ms() + ms, now; (now = clock_mono_ms()) < until;) {
        if (is_stopped(call))
            return err_set(err, ERR_CANCELLED, "the call was stopped");
        clock_sleep_ms(until - now < 250 ? until - now : 250);
    }
    return 0;
}

void s3_note_retry(const struct s3 *s3)
{
    const struct bucket_watch *watch = s3->bucket.watch;
    if (watch && watch->retried)
        watch->retried(watch->arg);
}

int s3_perform(struct s3 *s3, struct s3_call *call, struct err *err)
{
    const int64_t patience_ms = s3->bucket.call_ms;
    const int64_t end_ms = patience_ms ? clock_mono_ms() + patience_ms : INT64_MAX;
    if (!call->watch)
        call->watch = s3->bucket.watch;
    for (int tries = 1;; tries++) {
        struct err own = {0};
        if (s3_prepare(s3, call, err))
            return -1;
        call->http.fresh = tries > 1;
        if (patience_ms)
            call->http.total_timeout_ms = (int)(end_ms - clock_mono_ms()) + 1;
        (void)http_perform(s3->http, &call->http, &own); /* call->http.err has it, too */
        int again = s3_judge(call, &own);
        if (again == 0)
            return 0;
        int64_t pause_ms = s3_pause_ms(tries, own.retry_after_ms);
        bool over = pause_ms < 0 || pause_ms >= end_ms - clock_mono_ms();
        if (again < 0 || tries == S3_TRIES || over) {
            *err = own;
            return -1;
        }
        if (sleep_watched(call, pause_ms, err))
            return -1;
        if (call->again && call->again(call))
            tries = 0;
        s3_note_retry(s3);
    }
}
