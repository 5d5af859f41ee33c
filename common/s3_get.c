/* A whole object into a file: what broke off goes on where it ended, if it is still the same
 * object.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/file_write.h"
#include "common/s3_ops.h"

/* A try counts as one that came further from so many bytes on. */
enum { GAIN_BYTES = 1 << 20, RANGE_LEN = 40 };

struct getting {
    int fd;
    int64_t at, from; /* bytes written; at the beginning of this try */
    const char *etag; /* with its quotes, of the first answer */
    int64_t size_bytes;
    struct arena *arena;
    const struct bucket_watch *watch;
    size_t headers_len; /* without those of a range */
    bool begun;         /* this try's answer was looked at */
};

static void tell(const struct getting *getting, int64_t bytes)
{
    if (getting->watch && getting->watch->sent)
        getting->watch->sent(getting->watch->arg, bytes);
}

/* 200 to a question for the rest: the whole from the beginning. */
static int begin(struct getting *getting, const struct http_request *http, struct err *err)
{
    getting->begun = true;
    if (http->status == 200) {
        if (getting->at > 0 && (ftruncate(getting->fd, 0) || lseek(getting->fd, 0, SEEK_SET)))
            return err_errno(err, errno, "empty the file");
        tell(getting, -getting->at);
        getting->at = 0;
        getting->etag = arena_strdup(getting->arena, http->etag);
        getting->size_bytes = http->content_length;
        return 0;
    }
    char expected[RANGE_LEN];
    snprintf(expected, sizeof expected, "bytes %lld-", (long long)getting->at);
    if (!http->content_range || strncmp(http->content_range, expected, strlen(expected)) != 0)
        return err_set(err, ERR_STORAGE_MISMATCH, "the storage sent another part than asked for");
    return 0;
}

static int take(struct s3_call *call, const char *bytes, size_t len, struct err *err)
{
    struct getting *getting = call->arg;
    if (!getting->begun && begin(getting, &call->http, err))
        return -1;
    if (file_write(getting->fd, bytes, len, "write what was read", err))
        return -1;
    getting->at += (int64_t)len;
    tell(getting, (int64_t)len);
    return 0;
}

/* Without an ETag nobody knows whether the rest belongs to what is here. */
static bool go_on(struct s3_call *call)
{
    struct getting *getting = call->arg;
    bool gained = getting->at - getting->from >= GAIN_BYTES;
    getting->from = getting->at;
    getting->begun = false;
    call->headers_len = getting->headers_len;
    if (getting->at == 0 || !getting->etag)
        return gained;
    s3_header(call, "range", arena_printf(call->arena, "bytes=%lld-", (long long)getting->at));
    s3_header(call, "if-match", getting->etag);
    return gained;
}

static int check_length(const struct getting *getting, const char *key, struct err *err)
{
    if (getting->size_bytes < 0 || getting->at == getting->size_bytes)
        return 0;
    return err_set(err, ERR_STORAGE_MISMATCH, "%lld of the %lld bytes of '%.200s' came",
                   (long long)getting->at, (long long)getting->size_bytes, key);
}

int s3_get_file(struct bucket *bucket, const char *key, int fd, const struct bucket_watch *watch,
                struct arena *arena, struct object *out, struct err *err)
{
    struct getting getting = {.fd = fd, .arena = arena, .watch = watch};
    struct s3_call call = {.method = "GET",
                           .key = key,
                           .max_bytes = INT64_MAX,
                           .write = take,
                           .again = go_on,
                           .arg = &getting,
                           .watch = watch,
                           .arena = arena};
    if (s3_perform((struct s3 *)bucket, &call, err)) {
        if (strcmp(call.code, "PreconditionFailed") == 0 || call.http.status == 412)
            err_set(err, ERR_STORAGE_MISMATCH, "'%.200s' changed while it was read", key);
        return -1;
    }
    if (!getting.begun && begin(&getting, &call.http, err)) /* an empty one has no bytes to take */
        return -1;
    if (check_length(&getting, key, err))
        return -1;
    s3_object(&call, out);
    out->size_bytes = getting.at;
    return 0;
}
