/* The check of all rights, and counting over pages; the rest is the backends'. */
#include "common/bucket_admin.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "common/bucket_backend.h"
#include "common/cleanup.h"
#include "common/id.h"

enum { CONTENT_LEN = 32, COUNT_PAGE = 1000, COUNT_MAX = 1000000 };

int bucket_open_as(struct bucket **out, const struct bucket_settings *settings,
                   enum backend backend, struct err *err)
{
    struct bucket_settings own = *settings;
    own.r2_enabled = false; /* else it would be R2, whatever is asked for */
    own.backend = backend;
    return bucket_open(out, &own, err) ? err_prefix(err, "backend %s", backend_names[backend]) : 0;
}

/* The check's file, without a directory that would have to be configured. */
static int make_probe(const char *content, int *fd, struct err *err)
{
    *fd = memfd_create("bucket-check", MFD_CLOEXEC);
    if (*fd < 0)
        return err_errno(err, errno, "make a file to store");
    if (write(*fd, content, CONTENT_LEN) != CONTENT_LEN)
        return err_errno(err, EIO, "write the file to store");
    return 0;
}

static int check_put(struct bucket *bucket, const char *key, const char *content,
                     struct arena *arena, struct err *err)
{
    CLEANUP(close_at) int fd = -1;
    if (make_probe(content, &fd, err))
        return -1;
    struct bucket_put put = {
        .key = key,
        .path = arena_printf(arena, "/proc/self/fd/%d", fd),
        .content_type = "text/plain",
        .cache_control = "no-store",
        .size_bytes = CONTENT_LEN,
    };
    return bucket_put(bucket, &put, 1, NULL, arena, err);
}

static int check_head(struct bucket *bucket, const char *key, struct arena *arena, struct err *err)
{
    struct object object;
    if (bucket_head(bucket, key, arena, &object, err))
        return -1;
    return object.size_bytes == CONTENT_LEN
               ? 0
               : err_set(err, ERR_STORAGE_MISMATCH, "%lld bytes instead of %d",
                         (long long)object.size_bytes, CONTENT_LEN);
}

static int check_get(struct bucket *bucket, const char *key, const char *content,
                     struct arena *arena, struct err *err)
{
    struct text text = {.arena = arena};
    if (bucket_get(bucket, key, 1024, arena, &text, err))
        return -1;
    return strcmp(text.at, content) == 0
               ? 0
               : err_set(err, ERR_STORAGE_MISMATCH, "what comes back is not what was stored");
}

/* Adds what a step said to what is told of the others; the first one's code stays. */
static void note(struct err *all, const char *step, const struct err *own)
{
    struct err joined = *own;
    if (own->code == ERR_NONE)
        return;
    err_prefix(&joined, "%s", step);
    if (all->code == ERR_NONE) {
        *all = joined;
        return;
    }
    size_t len = strlen(all->detail);
    snprintf(all->detail + len, sizeof all->detail - len, "; %s", joined.detail);
    err_clean(all->detail); /* what was cut may have been cut within a character */
}

static int check_round(struct bucket *bucket, const char *key, struct arena *arena, struct err *err)
{
    char content[CONTENT_LEN + 1];
    const char *const keys[] = {key};
    struct err put = {0}, head = {0}, get = {0}, gone = {0}, all = {0};
    id_hex(content, CONTENT_LEN);
    if (check_put(bucket, key, content, arena, &put) == 0) {
        (void)check_head(bucket, key, arena, &head); /* each err is told below */
        (void)check_get(bucket, key, content, arena, &get);
    }
    if (put.code != ERR_STORAGE_BUCKET)
        (void)bucket_delete(bucket, keys, 1, NULL, &gone);
    note(&all, "put", &put);
    note(&all, "head", &head);
    note(&all, "get", &get);
    note(&all, "delete", &gone);
    if (all.code == ERR_NONE)
        return 0;
    *err = all;
    return -1;
}

int bucket_check(struct bucket *bucket, struct err *err)
{
    char name[17], key[64];
    struct arena arena = {0};
    id_hex(name, sizeof name - 1);
    snprintf(key, sizeof key, "mediafleet-check/%s", name);
    int result = check_round(bucket, key, &arena, err);
    if (result && err->code == ERR_STORAGE_BUCKET && bucket->ops->create) {
        *err = (struct err){0};
        result = bucket->ops->create(bucket, err) ? err_prefix(err, "create the bucket")
                                                  : check_round(bucket, key, &arena, err);
    }
    arena_release(&arena);
    return result;
}

int bucket_list_uploads(struct bucket *bucket, const char *prefix, const struct upload *after,
                        size_t limit, struct arena *arena, struct uploads *out, struct err *err)
{
    if (bucket_check_prefix(prefix, true, err))
        return -1;
    return bucket->ops->list_uploads(bucket, prefix, after, limit, arena, out, err);
}

int bucket_abort_upload(struct bucket *bucket, const struct upload *upload, bool *aborted,
                        struct err *err)
{
    bool ignored;
    return bucket->ops->abort_upload(bucket, upload, aborted ? aborted : &ignored, err);
}

/* Two arenas take turns: `after` is of the page before. */
int bucket_count_uploads(struct bucket *bucket, int64_t *out, struct err *err)
{
    struct arena arenas[2] = {{0}, {0}};
    const struct upload *after = NULL;
    int64_t count = 0;
    int result = 0;
    for (int i = 0; count < COUNT_MAX; i ^= 1) {
        struct uploads page = {0};
        arena_reset(&arenas[i]);
        result = bucket->ops->list_uploads(bucket, "", after, COUNT_PAGE, &arenas[i], &page, err);
        count += (int64_t)page.len;
        after = page.next;
        if (result || !after)
            break;
    }
    arena_release(&arenas[0]);
    arena_release(&arenas[1]);
    if (result == 0)
        *out = count;
    return result;
}

int bucket_lifecycle(struct bucket *bucket, bool apply, struct arena *arena, struct lifecycle *out,
                     struct err *err)
{
    if (!bucket->ops->lifecycle)
        return err_set(err, ERR_STORAGE_UNSUPPORTED, "backend %s has no lifecycle rules",
                       bucket->backend);
    return bucket->ops->lifecycle(bucket, apply, arena, out, err);
}
