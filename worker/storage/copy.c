/* Source → file → target → read back. A source that is a file is sent from where it lies. */
#include "worker/storage/copy.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/id.h"

/* What is read of one object. */
struct content {
    int fd;
    int64_t size_bytes;
    char sha256[DIGEST_HEX_LEN + 1];
};

static bool stopped(void *arg)
{
    const struct throttle *throttle = arg;
    return run_stopped(throttle->run);
}

static void sent(void *arg, int64_t bytes)
{
    throttle_count(arg, bytes);
}

bool copy_from_files(const struct bucket *bucket)
{
    const char *backend = bucket_backend(bucket);
    return strcmp(backend, backend_names[BACKEND_LOCAL]) == 0 ||
           strcmp(backend, backend_names[BACKEND_NONE]) == 0;
}

static int hash(struct copier *copier, struct content *content, struct err *err)
{
    uint8_t sum[DIGEST_LEN];
    char piece[1 << 16];
    int64_t at = 0;
    struct digest *digest = digest_begin();
    ssize_t got = 0;
    while (!run_stopped(copier->run) && (got = pread(content->fd, piece, sizeof piece, at)) > 0) {
        digest_add(digest, piece, (size_t)got);
        at += got;
    }
    digest_end(digest, sum);
    digest_hex(sum, content->sha256);
    if (run_stopped(copier->run))
        return run_stop_error(copier->run, err);
    if (got < 0)
        return err_errno(err, errno, "read what is copied");
    if (at != content->size_bytes)
        return err_set(err, ERR_STORAGE_MISMATCH, "%lld of %lld bytes came", (long long)at,
                       (long long)content->size_bytes);
    return 0;
}

/* The object as a file that the caller closes, with its checksum. */
static int read_object(struct copier *copier, struct bucket *bucket, const char *key,
                       struct content *content, struct err *err)
{
    const struct bucket_watch watch = {.stopped = stopped, .sent = sent, .arg = &copier->reading};
    struct object object;
    content->fd = -1;
    if (copy_from_files(bucket)) {
        if (bucket_open_file(bucket, key, &content->fd, &content->size_bytes, err))
            return -1;
    } else {
        if (run_scratch(copier->run, &content->fd, err) ||
            bucket_get_file(bucket, key, content->fd, &watch, &copier->arena, &object, err))
            return -1;
        content->size_bytes = object.size_bytes;
    }
    return hash(copier, content, err);
}

static int check(const struct copy *copy, const struct content *content, struct err *err)
{
    const struct file_path *row = &copy->from;
    if (content->size_bytes != row->size_bytes)
        return err_set(err, ERR_STORAGE_MISMATCH, "'%.200s' has %lld bytes, its row says %lld",
                       row->object_key, (long long)content->size_bytes, (long long)row->size_bytes);
    if (row->sha256 && strcmp(row->sha256, content->sha256) != 0)
        return err_set(err, ERR_STORAGE_MISMATCH, "'%.200s' has another checksum than its row",
                       row->object_key);
    return 0;
}

static int read_source(struct copier *copier, struct copy *copy, struct content *content,
                       struct err *err)
{
    if (read_object(copier, copier->from, copy->from.object_key, content, err) ||
        check(copy, content, err))
        return -1;
    copy->to.sha256 = arena_strdup(&copier->arena, content->sha256);
    return 0;
}

/* What has arrived is what was sent: the source will be deleted for that. */
static int read_back(struct copier *copier, struct copy *copy, struct err *err)
{
    struct content content = {.fd = -1};
    struct copy now = *copy;
    now.from.sha256 = copy->to.sha256;
    int failed = read_object(copier, copier->to, copy->to.object_key, &content, err) ||
                         check(&now, &content, err)
                     ? -1
                     : 0;
    if (content.fd >= 0)
        close(content.fd);
    return failed;
}

static int send_all(struct copier *copier, struct copy *copies, const struct content *contents,
                    size_t len, struct err *err)
{
    const struct bucket_watch watch = {.stopped = stopped, .sent = sent, .arg = &copier->writing};
    struct bucket_put puts[COPY_MAX];
    struct copy *sending[COPY_MAX];
    size_t count = 0;
    struct err first = {0};
    for (size_t i = 0; i < len; i++) {
        const struct file_kind *kind = file_kind(copies[i].to.object_key);
        if (copies[i].err.code)
            continue;
        puts[count] = (struct bucket_put){
            .key = copies[i].to.object_key,
            .path = arena_printf(&copier->arena, "/proc/self/fd/%d", contents[i].fd),
            .content_type =
                copies[i].to.content_type ? copies[i].to.content_type : kind->content_type,
            .cache_control = kind->cache_control,
            .sha256 = copies[i].to.sha256,
            .size_bytes = copies[i].to.size_bytes};
        sending[count++] = &copies[i];
    }
    int failed = bucket_put(copier->to, puts, count, &watch, &copier->arena, &first);
    if (run_stopped(copier->run))
        return run_stop_error(copier->run, err);
    bool own = false;
    for (size_t i = 0; i < count; i++) {
        sending[i]->err = puts[i].err;
        sending[i]->to.etag = puts[i].etag;
        own |= puts[i].err.code != ERR_NONE;
    }
    return failed && !own ? *err = first, -1 : 0;
}

static int transfer(struct copier *copier, struct copy *copies, struct content *contents,
                    size_t len, struct err *err)
{
    for (size_t i = 0; i < len; i++) {
        (void)read_source(copier, &copies[i], &contents[i], &copies[i].err);
        if (run_stopped(copier->run))
            return run_stop_error(copier->run, err);
    }
    if (send_all(copier, copies, contents, len, err))
        return -1;
    for (size_t i = 0; i < len; i++) {
        if (copies[i].err.code == ERR_NONE)
            (void)read_back(copier, &copies[i], &copies[i].err);
        if (run_stopped(copier->run))
            return run_stop_error(copier->run, err);
    }
    return 0;
}

int copy_all(struct copier *copier, struct copy *copies, size_t len, struct err *err)
{
    struct content contents[COPY_MAX];
    for (size_t i = 0; i < COPY_MAX; i++)
        contents[i] = (struct content){.fd = -1};
    int failed = transfer(copier, copies, contents, len, err);
    for (size_t i = 0; i < len; i++)
        if (contents[i].fd >= 0)
            close(contents[i].fd);
    return failed;
}

static int put_probe(struct copier *copier, const char *key, struct err *err)
{
    CLEANUP(close_at) int fd = -1;
    if (run_scratch(copier->run, &fd, err))
        return -1;
    if (write(fd, key, strlen(key)) != (ssize_t)strlen(key))
        return err_errno(err, EIO, "write a file to store");
    struct bucket_put put = {.key = key,
                             .path = arena_printf(&copier->arena, "/proc/self/fd/%d", fd),
                             .content_type = "text/plain",
                             .cache_control = "no-store",
                             .size_bytes = (int64_t)strlen(key)};
    return bucket_put(copier->to, &put, 1, NULL, &copier->arena, err);
}

int copy_check(struct copier *copier, struct err *err)
{
    char name[33];
    struct object object;
    id_hex(name, sizeof name - 1);
    const char *const key = arena_printf(&copier->arena, "mediafleet-check/%s", name);
    if (put_probe(copier, key, err))
        return -1;
    int absent = bucket_head(copier->from, key, &copier->arena, &object, err);
    if (absent && err->code != ERR_OBJECT_NOT_FOUND)
        return -1;
    *err = (struct err){0};
    if (bucket_delete(copier->to, &key, 1, NULL, err))
        return -1;
    return absent ? 0
                  : err_set(err, ERR_CONFIG, "backends %s and %s are the same storage",
                            bucket_backend(copier->from), bucket_backend(copier->to));
}
