/* Listing local objects in the order of their keys: a walk that holds one directory's names at each
 * level. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/bucket_local.h"
#include "common/cleanup.h"
#include "proto/file_path.h"

struct walk {
    const struct local *local;
    const char *prefix, *after;
    size_t limit, room;
    struct arena *arena;
    struct objects *out;
};

/* Directories' names end with '/', as they do in keys: "a-b" comes before "a/b", and that before
 * "ab". */
struct names {
    char **at;
    size_t len, room;
    struct arena arena;
};

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void names_add(struct names *names, const char *name, bool directory)
{
    if (names->len == names->room) {
        char **at = arena_alloc_array(&names->arena, names->room * 2 + 64, sizeof *at);
        if (names->len > 0)
            memcpy(at, names->at, names->len * sizeof *at);
        names->at = at;
        names->room = names->room * 2 + 64;
    }
    names->at[names->len++] = arena_printf(&names->arena, "%s%s", name, directory ? "/" : "");
}

static int entry_type(int directory, const struct dirent *entry)
{
    struct stat file;
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type;
    if (fstatat(directory, entry->d_name, &file, AT_SYMLINK_NOFOLLOW))
        return DT_UNKNOWN;
    return S_ISDIR(file.st_mode) ? DT_DIR : S_ISREG(file.st_mode) ? DT_REG : DT_UNKNOWN;
}

/* A directory that has gone in the meantime has no names. */
static int read_names(const struct local *local, const char *path, struct names *names,
                      struct err *err)
{
    const char *base;
    CLEANUP(close_at) int fd = local_parent(local, path, false, &base);
    CLEANUP(closedir_at) DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory)
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP
                   ? 0
                   : err_errno(err, errno, "list '%.200s'", path);
    int at = fd;
    fd = -1; /* the stream's now */
    errno = 0;
    for (const struct dirent *entry; (entry = readdir(directory)); errno = 0) {
        int type = entry_type(at, entry);
        if (type == DT_REG ||
            (type == DT_DIR && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0))
            names_add(names, entry->d_name, type == DT_DIR);
    }
    if (errno)
        return err_errno(err, errno, "list '%.200s'", path);
    if (names->len > 0)
        qsort(names->at, names->len, sizeof *names->at, by_bytes);
    return 0;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Whether keys that begin with the directory's path (which ends with '/') may be wanted. */
static bool wants_directory(const struct walk *walk, const char *path)
{
    if (!begins(path, walk->prefix) && !begins(walk->prefix, path))
        return false;
    if (strcmp(path, LOCAL_TEMPORARY "/") == 0)
        return false;
    return !walk->after || begins(walk->after, path) || strcmp(path, walk->after) > 0;
}

static void add_object(struct walk *walk, const char *key, const struct stat *file)
{
    struct objects *out = walk->out;
    if (out->len == walk->room) {
        size_t room = walk->room * 2 + 64;
        struct object *at = arena_alloc_array(walk->arena, room, sizeof *at);
        if (out->len > 0)
            memcpy(at, out->at, out->len * sizeof *at);
        out->at = at;
        walk->room = room;
    }
    local_object(key, file, walk->arena, &out->at[out->len++]);
}

static void visit_file(struct walk *walk, const char *key)
{
    const char *base;
    struct stat file;
    if (!begins(key, walk->prefix) || (walk->after && strcmp(key, walk->after) <= 0) ||
        !object_key_valid(key))
        return;
    CLEANUP(close_at) int parent = local_parent(walk->local, key, false, &base);
    if (parent >= 0 && fstatat(parent, base, &file, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(file.st_mode))
        add_object(walk, key, &file);
}

/* `path` is "" or ends with '/'. As deep as keys have components. */
static int visit_directory(struct walk *walk, const char *path, struct err *err)
{
    struct names names = {0};
    int result = read_names(walk->local, path, &names, err);
    for (size_t i = 0; result == 0 && i < names.len && walk->out->len < walk->limit; i++) {
        const char *name = names.at[i];
        if (strlen(path) + strlen(name) > OBJECT_KEY_MAX)
            continue;
        const char *whole = arena_printf(&names.arena, "%s%s", path, name);
        if (name[strlen(name) - 1] != '/')
            visit_file(walk, whole);
        else if (wants_directory(walk, whole))
            result = visit_directory(walk, whole, err);
    }
    arena_release(&names.arena);
    return result;
}

int local_list(struct bucket *bucket, const char *prefix, const char *after, size_t limit,
               struct arena *arena, struct objects *out, struct err *err)
{
    struct objects found = {0};
    struct walk walk = {(struct local *)bucket, prefix, after, limit, 0, arena, &found};
    const char *slash = strrchr(prefix, '/');
    const char *start = arena_strndup(arena, prefix, slash ? (size_t)(slash + 1 - prefix) : 0);
    if (visit_directory(&walk, start, err))
        return -1;
    *out = found;
    return 0;
}
