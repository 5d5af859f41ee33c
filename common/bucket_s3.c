/* The S3 backends: MinIO, AWS and R2 differ by their settings only. */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/s3_ops.h"

/* What is put there is refused, or deleted at once. */
static const char *const probe_key = "mediafleet-check/probe";

/* The settings that count for one backend, and the variables' names for complaints. */
struct account {
    const char *endpoint, *bucket, *access_key, *secret_key, *region, *prefix;
};

static struct account account_of(const struct bucket_settings *s, enum backend backend)
{
    if (backend == BACKEND_R2)
        return (struct account){s->r2_endpoint_url,
                                s->r2_bucket_name,
                                s->r2_access_key_id,
                                s->r2_secret_access_key,
                                s->r2_region_name ? s->r2_region_name : "auto",
                                "R2_"};
    if (backend == BACKEND_MINIO)
        return (struct account){s->minio_endpoint,   s->minio_bucket_name, s->minio_access_key,
                                s->minio_secret_key, "us-east-1",          "MINIO_"};
    return (struct account){s->aws_endpoint_url,
                            s->aws_bucket_name,
                            s->aws_access_key_id,
                            s->aws_secret_access_key,
                            s->aws_region ? s->aws_region : "us-east-1",
                            "AWS_"};
}

static void s3_free(struct bucket *bucket)
{
    struct s3 *s3 = (struct s3 *)bucket;
    http_free(s3->http);
    arena_release(&bucket->arena);
    free(s3);
}

static void s3_free_at(struct s3 **s3)
{
    if (*s3)
        s3_free(&(*s3)->bucket);
}

/* MinIO's endpoints are usually given without a scheme; AWS needs none at all. */
static const char *endpoint_url(const struct account *account, struct arena *arena)
{
    if (!account->endpoint)
        return arena_printf(arena, "https://s3.%s.amazonaws.com", account->region);
    return arena_printf(arena, "%s%s", strstr(account->endpoint, "://") ? "" : "http://",
                        account->endpoint);
}

static int set_address(struct s3 *s3, const struct account *account, struct err *err)
{
    struct arena *arena = &s3->bucket.arena;
    const char *url = endpoint_url(account, arena), *path;
    if (http_split(url, arena, &s3->host, &path, err)) {
        err->code = ERR_CONFIG;
        return err_prefix(err, "%sENDPOINT", account->prefix);
    }
    s3->origin = arena_printf(arena, "%s//%s",
                              strncmp(url, "https:", 6) == 0 ? "https:" : "http:", s3->host);
    size_t len = strlen(path);
    while (len > 0 && path[len - 1] == '/')
        len--;
    /* R2's console shows the endpoint with the bucket inside; it must not be there twice. */
    const char *slash = memrchr(path, '/', len);
    if (slash && strlen(account->bucket) == len - (size_t)(slash + 1 - path) &&
        strncmp(slash + 1, account->bucket, strlen(account->bucket)) == 0)
        len = (size_t)(slash - path);
    s3->path = arena_printf(arena, "%.*s/%s", (int)len, path, account->bucket);
    return 0;
}

void s3_object(const struct s3_call *call, struct object *out)
{
    *out = (struct object){
        .key = arena_strdup(call->arena, call->key),
        .size_bytes = call->http.content_length,
        .modified_at = call->http.last_modified_ms,
        .etag = s3_etag(call->http.etag, call->arena),
        .content_type = call->http.content_type,
        .cache_control = call->cache_control,
        .sha256 = call->sha256,
    };
}

static int s3_head(struct bucket *bucket, const char *key, struct arena *arena, struct object *out,
                   struct err *err)
{
    struct s3_call call = {.method = "HEAD", .key = key, .arena = arena};
    if (s3_perform((struct s3 *)bucket, &call, err))
        return -1;
    s3_object(&call, out);
    return 0;
}

static int s3_get(struct bucket *bucket, const char *key, int64_t max_bytes, struct arena *arena,
                  struct text *out, struct err *err)
{
    struct s3_call call = {.method = "GET", .key = key, .arena = arena, .max_bytes = max_bytes};
    if (s3_perform((struct s3 *)bucket, &call, err))
        return -1;
    if ((int64_t)call.http.text.len > max_bytes)
        return err_set(err, ERR_OBJECT_TOO_LARGE, "'%.200s' has more than %lld bytes", key,
                       (long long)max_bytes);
    text_puts(&call.http.text, "");
    *out = call.http.text;
    return 0;
}

static int s3_presign(struct bucket *bucket, const char *key, int64_t expires_s,
                      struct arena *arena, const char **out, struct err *err)
{
    const struct s3 *s3 = (const struct s3 *)bucket;
    const struct sigv4_pair headers[] = {{"host", s3->host}};
    const char *path = arena_printf(arena, "%s/%s", s3->path, key);
    const struct sigv4_request request = {.method = "GET",
                                          .path = path,
                                          .headers = headers,
                                          .headers_len = 1,
                                          .at_s = clock_wall_s()};
    (void)err;
    *out = arena_printf(arena, "%s%s?%s", s3->origin, sigv4_encode(path, true, arena),
                        sigv4_presign(&s3->key, &request, expires_s, arena));
    return 0;
}

static int s3_create(struct bucket *bucket, struct err *err)
{
    struct s3 *s3 = (struct s3 *)bucket;
    struct arena arena = {0};
    if (!s3->create)
        return err_set(err, ERR_STORAGE_BUCKET, "bucket '%s' does not exist", bucket->name);
    struct s3_call call = {.method = "PUT", .arena = &arena, .body = ""};
    bool named_region = strcmp(bucket->backend, backend_names[BACKEND_S3]) == 0 &&
                        strcmp(s3->key.region, "us-east-1") != 0;
    if (named_region) {
        call.body =
            arena_printf(&arena,
                         "<CreateBucketConfiguration><LocationConstraint>%s</LocationConstraint>"
                         "</CreateBucketConfiguration>",
                         s3->key.region);
        call.body_len = (int64_t)strlen(call.body);
    }
    int result = s3_perform(s3, &call, err);
    if (result && strncmp(call.code, "BucketAlready", 13) == 0) /* somebody else was faster */
        result = 0;
    arena_release(&arena);
    return result;
}

/* A PUT with one wrong checksum, a single try: 0: the server refused it for that, 1: it was stored.
 */
static int put_spoiled(struct s3 *s3, struct s3_call *call, struct err *err)
{
    enum { PROBE_MS = 5000 };
    struct err own = {0};
    call->method = "PUT";
    call->key = probe_key;
    call->body = "probe";
    call->body_len = 5;
    if (s3_prepare(s3, call, err))
        return -1;
    call->http.total_timeout_ms = PROBE_MS;
    (void)http_perform(s3->http, &call->http, &own); /* call->http.err has it, too */
    if (s3_judge(call, &own) == 0)
        return 1;
    if (own.code == ERR_STORAGE_MISMATCH)
        return 0;
    *err = own;
    return -1;
}

/* A server that minds nothing else minds a wrong checksum, and stores nothing. */
static int s3_probe(struct bucket *bucket, struct err *err)
{
    struct s3 *s3 = (struct s3 *)bucket;
    struct arena arena = {0};
    struct s3_call call = {.spoil = SPOIL_MD5, .arena = &arena};
    int result = put_spoiled(s3, &call, err);
    if (result > 0) /* one that checks no checksums */
        result = s3_delete(bucket, &probe_key, 1, NULL, err);
    arena_release(&arena);
    return result ? -1 : 0;
}

/* 1: the server refused the wrong sum for being wrong; 0: it did not; -1: it said neither. */
static int compares(struct s3 *s3, enum s3_spoil sum, const struct bucket_watch *watch)
{
    struct arena arena = {0};
    struct err err = {0};
    struct s3_call call = {
        .spoil = sum, .summed = sum == SPOIL_SUM, .watch = watch, .arena = &arena};
    int stored = put_spoiled(s3, &call, &err);
    bool wrong = sum == SPOIL_SHA256 ? strcmp(call.code, "XAmzContentSHA256Mismatch") == 0
                                     : strcmp(call.code, "BadDigest") == 0 ||
                                           strcmp(call.code, "XAmzContentChecksumMismatch") == 0;
    if (stored > 0)
        (void)s3_delete(&s3->bucket, &probe_key, 1, NULL, &err);
    arena_release(&arena);
    return stored < 0 ? -1 : stored == 0 && wrong;
}

void s3_learn(struct s3 *s3, const struct bucket_watch *watch)
{
    int answer = compares(s3, SPOIL_SHA256, watch);
    if (answer >= 0)
        s3->checks = answer ? S3_CHECKS_SHA256 : S3_CHECKS_LESS;
    if (answer > 0 && compares(s3, SPOIL_SUM, watch) > 0)
        s3->checks = S3_CHECKS_SUMS;
}

static const struct bucket_ops s3_ops = {
    .compares = true,
    .put = s3_put,
    .head = s3_head,
    .get = s3_get,
    .get_file = s3_get_file,
    .delete = s3_delete,
    .list = s3_list,
    .abort_uploads = s3_abort_uploads,
    .list_uploads = s3_list_uploads,
    .abort_upload = s3_abort_upload,
    .lifecycle = s3_lifecycle,
    .presign = s3_presign,
    .create = s3_create,
    .probe = s3_probe,
    .free = s3_free,
};

int bucket_s3_open(struct bucket **out, const struct bucket_settings *settings, struct err *err)
{
    enum backend backend = bucket_settings_backend(settings);
    struct account account = account_of(settings, backend);
    if (!account.bucket || !account.access_key || !account.secret_key ||
        (!account.endpoint && backend != BACKEND_S3))
        return err_set(err, ERR_CONFIG,
                       "bucket, access key, secret key and endpoint (%s...) must be set",
                       account.prefix);
    CLEANUP(s3_free_at) struct s3 *s3 = calloc(1, sizeof *s3);
    if (!s3)
        abort();
    struct arena *arena = &s3->bucket.arena;
    s3->bucket.ops = &s3_ops;
    s3->bucket.backend = backend_names[backend];
    s3->bucket.name = arena_strdup(arena, account.bucket);
    s3->key = (struct sigv4_key){arena_strdup(arena, account.access_key),
                                 arena_strdup(arena, account.secret_key),
                                 arena_strdup(arena, account.region), "s3"};
    s3->create = settings->create_bucket;
    s3->parallel = settings->parallel > 0 && settings->parallel <= S3_PARALLEL_MAX
                       ? (int)settings->parallel
                       : 8;
    if (set_address(s3, &account, err) ||
        http_open(&s3->http, &(struct http_policy){0}, s3->parallel, err))
        return -1;
    *out = &TAKE(s3)->bucket;
    return 0;
}
