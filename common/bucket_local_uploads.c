/* Local files that nobody finished: temporary ones, each locked by its writer as long as that
 * lives.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "common/bucket_local.h"
#include "common/cleanup.h"

enum { NAME_LEN = 32 }; /* as bucket_local_put.c names them */

static int open_temporary(const struct local *local, DIR **out, struct err *err)
{
    int fd = openat(local->temporary, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *out = fd < 0 ? NULL : fdopendir(fd);
    if (*out)
        return 0;
    int number = errno;
    if (fd >= 0)
        close(fd);
    return err_errno(err, number, "open the directory of unfinished files");
}

static bool is_temporary(const char *name)
{
    return strlen(name) == NAME_LEN && strspn(name, "0123456789abcdef") == NAME_LEN;
}

static bool remove_abandoned(int directory, const char *name)
{
    CLEANUP(close_at)
    int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && unlinkat(directory, name, 0) == 0;
}

int local_abort_uploads(struct bucket *bucket, const char *prefix, size_t *aborted, struct err *err)
{
    struct local *local = (struct local *)bucket;
    CLEANUP(closedir_at) DIR *directory = NULL;
    (void)prefix; /* unfinished files have no key yet */
    if (open_temporary(local, &directory, err))
        return -1;
    for (const struct dirent *entry; (entry = readdir(directory));)
        if (is_temporary(entry->d_name) && remove_abandoned(local->temporary, entry->d_name))
            (*aborted)++;
    return 0;
}

int local_abort_upload(struct bucket *bucket, const struct upload *upload, bool *aborted,
                       struct err *err)
{
    struct local *local = (struct local *)bucket;
    struct stat file;
    if (!is_temporary(upload->id))
        return err_set(err, ERR_INTERNAL, "'%.100s' is no unfinished file", upload->id);
    *aborted =
        remove_abandoned(local->temporary, upload->id) ||
        (fstatat(local->temporary, upload->id, &file, AT_SYMLINK_NOFOLLOW) && errno == ENOENT);
    return 0;
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct upload *)a)->id, ((const struct upload *)b)->id);
}

/* Keeps the first `limit` ids after `after`: `at` has room for twice as many, and is cut down
 * when it is full. */
static void cut(struct upload *at, size_t *len, size_t limit)
{
    if (*len > 0)
        qsort(at, *len, sizeof *at, by_id);
    if (*len > limit)
        *len = limit;
}

int local_list_uploads(struct bucket *bucket, const char *prefix, const struct upload *after,
                       size_t limit, struct arena *arena, struct uploads *out, struct err *err)
{
    struct local *local = (struct local *)bucket;
    CLEANUP(closedir_at) DIR *directory = NULL;
    struct upload *at = arena_alloc_array(arena, 2 * limit, sizeof *at);
    size_t len = 0;
    bool more = false;
    (void)prefix; /* unfinished files have no key yet */
    if (local->temporary < 0 || limit == 0) {
        *out = (struct uploads){0};
        return 0;
    }
    if (open_temporary(local, &directory, err))
        return -1;
    for (const struct dirent *entry; (entry = readdir(directory));) {
        struct stat file;
        if (!is_temporary(entry->d_name) || (after && strcmp(entry->d_name, after->id) <= 0) ||
            fstatat(local->temporary, entry->d_name, &file, AT_SYMLINK_NOFOLLOW))
            continue;
        at[len++] = (struct upload){
            .key = "",
            .id = arena_strdup(arena, entry->d_name),
            .begun_at = (int64_t)file.st_mtim.tv_sec * 1000 + file.st_mtim.tv_nsec / 1000000,
        };
        if (len == 2 * limit) {
            cut(at, &len, limit);
            more = true;
        }
    }
    more = more || len > limit;
    cut(at, &len, limit);
    *out = (struct uploads){at, len, more ? &at[len - 1] : NULL};
    return 0;
}
