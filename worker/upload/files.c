/* Walks the directories of the earlier tasks. */
#include "worker/upload/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/digest.h"
#include "proto/download.h"
#include "proto/thumbnail.h"
#include "proto/transcode.h"

enum { FILES_MAX = 100000, DEPTH_MAX = 4, READ_BYTES = 256 * 1024 };

static int hash_file(struct run *run, const char *path, char out[DIGEST_HEX_LEN + 1],
                     struct err *err)
{
    CLEANUP(close_at) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return err_errno(err, errno, "open %s", path);
    CLEANUP(free_at) char *buffer = malloc(READ_BYTES);
    if (!buffer)
        abort();
    struct digest *digest = digest_begin();
    uint8_t sum[DIGEST_LEN];
    ssize_t got;
    while ((got = read(fd, buffer, READ_BYTES)) > 0 && !run_stopped(run))
        digest_add(digest, buffer, (size_t)got);
    int failed = errno;
    digest_end(digest, sum);
    if (run_stopped(run))
        return run_stop_error(run, err);
    if (got < 0)
        return err_errno(err, failed, "read %s", path);
    digest_hex(sum, out);
    return 0;
}

static int rank(const struct file_kind *kind, const char *key)
{
    size_t len = strlen(key);
    const char master[] = "/master.m3u8";
    if (kind->type != FILE_PLAYLIST)
        return 0;
    return len >= sizeof master && strcmp(key + len - (sizeof master - 1), master) == 0 ? 2 : 1;
}

static int add(struct run *run, struct upload_files *files, const char *path, const char *key,
               int64_t size, struct err *err)
{
    struct arena *arena = run_arena(run);
    if (files->len == FILES_MAX)
        return err_set(err, ERR_TOO_MANY_ITEMS, "more than %d files to upload", FILES_MAX);
    if (!object_key_valid(key))
        return err_set(err, ERR_INTERNAL, "'%s' cannot be an object key", key);
    if (files->len == files->room) {
        size_t room = files->room ? files->room * 2 : 64;
        struct upload_file *more = arena_alloc_array(arena, room, sizeof *more);
        if (files->len)
            memcpy(more, files->at, files->len * sizeof *more);
        files->at = more;
        files->room = room;
    }
    const struct file_kind *kind = file_kind(key);
    files->at[files->len++] = (struct upload_file){.path = arena_strdup(arena, path),
                                                   .key = arena_strdup(arena, key),
                                                   .kind = kind,
                                                   .size_bytes = size,
                                                   .rank = rank(kind, key)};
    files->bytes += size;
    return 0;
}

static int walk(struct run *run, struct upload_files *files, const char *dir, const char *prefix,
                int depth, struct err *err)
{
    CLEANUP(closedir_at) DIR *handle = opendir(dir);
    if (!handle)
        return err_errno(err, errno, "open %s", dir);
    for (struct dirent *entry; (entry = readdir(handle));) {
        char path[PATH_MAX], key[OBJECT_KEY_MAX + 2];
        struct stat info;
        if (entry->d_name[0] == '.')
            continue;
        int path_len = snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        int key_len = snprintf(key, sizeof key, "%s%s", prefix, entry->d_name);
        if (path_len >= (int)sizeof path || key_len >= (int)sizeof key - 1)
            return err_set(err, ERR_INTERNAL, "the name of a file to upload is too long");
        if (lstat(path, &info))
            return err_errno(err, errno, "look at %s", path);
        int failed = 0;
        if (S_ISDIR(info.st_mode) && depth < DEPTH_MAX) {
            strcpy(key + key_len, "/");
            failed = walk(run, files, path, key, depth + 1, err);
        } else if (S_ISREG(info.st_mode)) {
            failed = add(run, files, path, key, info.st_size, err);
        }
        if (failed)
            return -1;
    }
    return 0;
}

/* How much a task said that it wrote; 0: it did not say. */
static int said_bytes(struct run *run, enum kind kind, int64_t *bytes, struct err *err)
{
    union {
        struct download_result download;
        struct transcode_result transcode;
        struct thumbnail_result thumbnail;
    } result;
    *bytes = 0;
    if (run_need(run, kinds[kind].name, &result, err) < 0)
        return -1;
    *bytes = kind == KIND_DOWNLOAD    ? result.download.size_bytes
             : kind == KIND_TRANSCODE ? result.transcode.bytes
                                      : result.thumbnail.bytes;
    return 0;
}

/* What a disk has lost, or another host does not see yet, must not be published cut short. */
static int check_whole(struct run *run, enum kind kind, int64_t found, struct err *err)
{
    int64_t said;
    if (said_bytes(run, kind, &said, err))
        return -1;
    if (said > 0 && found != said)
        return err_set(err, ERR_IO_ERROR, "the files of %s have %lld bytes, not %lld as written",
                       kinds[kind].name, (long long)found, (long long)said);
    return 0;
}

/* What the download says of its file, if that is one of these: NULL if it does not. */
static int source_sha256(struct run *run, const struct upload_file *file, const char **out,
                         struct err *err)
{
    struct download_result result;
    *out = NULL;
    int known = run_need(run, kinds[KIND_DOWNLOAD].name, &result, err);
    if (known < 0)
        return -1;
    const char *name = strrchr(file->path, '/') + 1;
    if (known && result.file && strcmp(name, result.file) == 0 && result.sha256 &&
        strlen(result.sha256) == DIGEST_HEX_LEN)
        *out = result.sha256;
    return 0;
}

static int hash_all(struct run *run, struct upload_file *files, size_t len, enum kind kind,
                    bool compares, struct err *err)
{
    char sha256[DIGEST_HEX_LEN + 1];
    for (size_t i = 0; i < len; i++) {
        if (kind == KIND_DOWNLOAD && compares &&
            source_sha256(run, &files[i], &files[i].sha256, err))
            return -1;
        if (files[i].sha256)
            continue;
        if (hash_file(run, files[i].path, sha256, err))
            return -1;
        files[i].sha256 = arena_strdup(run_arena(run), sha256);
    }
    return 0;
}

static int by_rank(const void *left, const void *right)
{
    const struct upload_file *a = left, *b = right;
    return a->rank != b->rank ? a->rank - b->rank : strcmp(a->key, b->key);
}

int upload_files_gather(struct run *run, const char *prefix, bool compares,
                        struct upload_files *out, struct err *err)
{
    static const struct {
        enum kind kind;
        const char *folder;
    } parts[] = {
        {KIND_DOWNLOAD, "source/"}, {KIND_TRANSCODE, "hls/"}, {KIND_THUMBNAIL, "thumbnails/"}};
    *out = (struct upload_files){0};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const char *dir = run_dir_of(run, kinds[parts[i].kind].name);
        int64_t before = out->bytes;
        size_t first = out->len;
        struct stat info;
        if (!dir)
            continue;
        bool empty = stat(dir, &info) && errno == ENOENT; /* of a task that makes no file */
        const char *keys = arena_printf(run_arena(run), "%s%s", prefix, parts[i].folder);
        if ((!empty && walk(run, out, dir, keys, 0, err)) ||
            check_whole(run, parts[i].kind, out->bytes - before, err) ||
            hash_all(run, out->at + first, out->len - first, parts[i].kind, compares, err))
            return -1;
    }
    if (out->len)
        qsort(out->at, out->len, sizeof *out->at, by_rank);
    return 0;
}
