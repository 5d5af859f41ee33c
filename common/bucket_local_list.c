/* Listing local objects in the order of their keys: a walk that holds some of a directory's names
 * at each level. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bucket_local.h"
#include "common/cleanup.h"
#include "proto/file_path.h"

enum { NAMES_MAX = 2048, NAME_BYTES = NAME_MAX + 2 };

struct walk {
    const struct local *local;
    const char *prefix, *after;
    size_t limit, room;
    struct arena *arena;
    struct objects *out;
    char path[OBJECT_KEY_MAX + 1]; /* where the walk is: "" or ends with '/', or a file's key */
};

/* The next names of a directory, however many it has: the smallest of those behind `from`.
 * Directories' names end with '/', as they do in keys: "a-b" comes before "a/b", and that before
 * "ab". */
struct names {
    char (*at)[NAME_BYTES];
    size_t len, room;
    char from[NAME_BYTES];
    bool more;     /* than these */
    int directory; /* they are of, for looking at its files; -1: there is none */
};

static int by_bytes(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void names_cut(struct names *names)
{
    if (names->len > 0)
        qsort(names->at, names->len, sizeof *names->at, by_bytes);
    if (names->len <= NAMES_MAX)
        return;
    names->len = NAMES_MAX;
    names->more = true;
}

static void names_add(struct names *names, const char *name)
{
    if (names->len == 2 * NAMES_MAX)
        names_cut(names);
    if (names->len == names->room) {
        names->room = names->room ? 2 * names->room : 64;
        names->at = realloc(names->at, names->room * sizeof *names->at);
        if (!names->at)
            abort();
    }
    strcpy(names->at[names->len++], name);
}

static void names_release(struct names *names)
{
    free(names->at);
    if (names->directory >= 0)
        close(names->directory);
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

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Whether the file of that key is wanted, or keys that begin with that directory's path. */
static bool wants(const struct walk *walk, const char *path)
{
    if (path[strlen(path) - 1] != '/')
        return begins(path, walk->prefix) && (!walk->after || strcmp(path, walk->after) > 0) &&
               object_key_valid(path);
    if (!begins(path, walk->prefix) && !begins(walk->prefix, path))
        return false;
    if (strcmp(path, LOCAL_TEMPORARY "/") == 0)
        return false;
    return !walk->after || begins(walk->after, path) || strcmp(path, walk->after) > 0;
}

/* The name as it stands in a key, behind the walk's path of that length; false: it cannot. */
static bool enter(struct walk *walk, size_t len, const char *name, const char *end)
{
    size_t name_len = strlen(name), end_len = strlen(end);
    if (name_len + end_len >= sizeof walk->path - len)
        return false;
    memcpy(walk->path + len, name, name_len);
    memcpy(walk->path + len + name_len, end, end_len + 1);
    return true;
}

static void consider(struct walk *walk, size_t len, int directory, const struct dirent *entry,
                     struct names *names)
{
    const char *name = entry->d_name;
    int type = entry_type(directory, entry);
    if ((type != DT_REG && type != DT_DIR) || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return;
    if (enter(walk, len, name, type == DT_DIR ? "/" : "") && wants(walk, walk->path) &&
        strcmp(walk->path + len, names->from) > 0)
        names_add(names, walk->path + len);
    walk->path[len] = '\0';
}

/* The wanted names behind names->from of the directory at walk->path. A directory that has gone in
 * the meantime has none. */
static int read_names(struct walk *walk, struct names *names, struct err *err)
{
    const char *base;
    size_t len = strlen(walk->path);
    CLEANUP(close_at) int fd = local_parent(walk->local, walk->path, false, &base);
    names->len = 0;
    names->more = false;
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP
                   ? 0
                   : err_errno(err, errno, "list '%.200s'", walk->path);
    if (names->directory >= 0)
        close(names->directory);
    names->directory = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    CLEANUP(closedir_at) DIR *directory = names->directory < 0 ? NULL : fdopendir(fd);
    if (!directory)
        return err_errno(err, errno, "list '%.200s'", walk->path);
    int at = fd;
    fd = -1; /* the stream's now */
    errno = 0;
    for (const struct dirent *entry; (entry = readdir(directory)); errno = 0)
        consider(walk, len, at, entry, names);
    if (errno)
        return err_errno(err, errno, "list '%.200s'", walk->path);
    names_cut(names);
    return 0;
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

static void visit_file(struct walk *walk, int directory, const char *name)
{
    struct stat file;
    if (fstatat(directory, name, &file, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(file.st_mode))
        add_object(walk, walk->path, &file);
}

/* The directory at walk->path; as deep as keys have components. */
static int visit_directory(struct walk *walk, struct err *err)
{
    struct names names = {.more = true, .directory = -1};
    size_t len = strlen(walk->path);
    int result = 0;
    while (result == 0 && names.more && walk->out->len < walk->limit) {
        result = read_names(walk, &names, err);
        for (size_t i = 0; result == 0 && i < names.len && walk->out->len < walk->limit; i++) {
            const char *name = names.at[i];
            enter(walk, len, name, "");
            if (name[strlen(name) - 1] == '/')
                result = visit_directory(walk, err);
            else
                visit_file(walk, names.directory, name);
            walk->path[len] = '\0';
        }
        if (names.len > 0)
            strcpy(names.from, names.at[names.len - 1]);
    }
    names_release(&names);
    return result;
}

int local_list(struct bucket *bucket, const char *prefix, const char *after, size_t limit,
               struct arena *arena, struct objects *out, struct err *err)
{
    struct objects found = {0};
    struct walk walk = {.local = (struct local *)bucket,
                        .prefix = prefix,
                        .after = after,
                        .limit = limit,
                        .arena = arena,
                        .out = &found};
    const char *slash = strrchr(prefix, '/');
    snprintf(walk.path, sizeof walk.path, "%.*s", slash ? (int)(slash + 1 - prefix) : 0, prefix);
    if (visit_directory(&walk, err))
        return -1;
    *out = found;
    return 0;
}
