/* Directories of runs, and locks that prove a worker's life or death. */
#include "worker/workspace.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/process.h"

/* Long after the last lease that a dead worker may have held. */
enum { OLD_S = 86400 };
enum { MAKE_TRIES = 5 };

char *workspace_dir(const char *workspace, const char *job, const char *task, int64_t run,
                    struct arena *arena)
{
    return arena_printf(arena, "%s/%s/%s.%" PRId64, workspace, job, task, run);
}

/* 0, or the errno of the directory that could not be made, whose name is left in `path`. */
static int make_each(char *path)
{
    for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash)
            *slash = '\0';
        if (mkdir(path, 0770) && errno != EEXIST)
            return errno;
        if (!slash)
            return 0;
        *slash = '/';
    }
}

int workspace_make(const char *path, struct err *err)
{
    char copy[PATH_MAX];
    int failed = ENOENT;
    if (strlen(path) >= sizeof copy)
        return err_set(err, ERR_CONFIG, "the path of the workspace is too long");
    /* Again when somebody found the one above it empty and removed it: workspace_forget. */
    for (int i = 0; i < MAKE_TRIES && failed == ENOENT; i++) {
        strcpy(copy, path);
        failed = make_each(copy);
    }
    return failed ? err_errno(err, failed, "make directory %s", copy) : 0;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info;
    (void)type;
    (void)place;
    return remove(path) && errno != ENOENT ? errno : 0;
}

int workspace_remove(const char *path, struct err *err)
{
    enum { OPEN_DIRECTORIES = 8, TRIES = 3 };
    int failed = 0;
    /* Again when somebody who does not know yet that it is over has added a file meanwhile. */
    for (int i = 0; i < TRIES; i++) {
        failed = nftw(path, remove_entry, OPEN_DIRECTORIES, FTW_DEPTH | FTW_PHYS);
        if (failed == -1)
            failed = errno;
        if (failed == ENOENT || failed == 0)
            return 0;
    }
    return err_errno(err, failed, "remove %s", path);
}

int workspace_forget(const char *path, struct err *err)
{
    char job[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (workspace_remove(path, err))
        return -1;
    snprintf(job, sizeof job, "%.*s", slash ? (int)(slash - path) : 0, path);
    if (rmdir(job) && errno != ENOTEMPTY && errno != EEXIST && errno != ENOENT)
        return err_errno(err, errno, "remove %s", job);
    return 0;
}

int64_t workspace_free_bytes(const char *workspace)
{
    struct statvfs info;
    if (statvfs(workspace, &info))
        return -1;
    return (int64_t)(info.f_bavail * info.f_frsize);
}

static int lock_path(const char *workspace, const char *worker, char out[PATH_MAX])
{
    int len = snprintf(out, PATH_MAX, "%s/.workers/%s", workspace, worker);
    return len > 0 && len < PATH_MAX ? 0 : -1;
}

int workspace_lock(const char *workspace, const char *worker, int *fd, struct err *err)
{
    char path[PATH_MAX];
    if (lock_path(workspace, "", path))
        return err_set(err, ERR_CONFIG, "the path of the workspace is too long");
    if (workspace_make(path, err))
        return -1;
    if (lock_path(workspace, worker, path))
        return err_set(err, ERR_CONFIG, "the path of the workspace is too long");
    return process_lock(path, fd, err);
}

void workspace_leave(int fd)
{
    static const char word[] = "left\n";
    ssize_t written = write(fd, word, sizeof word - 1);
    (void)written; /* unsaid, it is taken for a death */
}

bool workspace_left(const char *workspace, const char *worker)
{
    char path[PATH_MAX];
    struct stat info;
    return lock_path(workspace, worker, path) == 0 && lstat(path, &info) == 0 && info.st_size > 0;
}

void workspace_unlock(const char *workspace, const char *worker, int fd)
{
    char path[PATH_MAX];
    if (lock_path(workspace, worker, path) == 0)
        process_unlock(path, fd);
}

/* "<host>.<kind>.<pid>.<start>"; a host's name may have dots, so that another's may begin with it.
 */
static bool is_of_host(const char *worker, const char *host)
{
    size_t len = strlen(host), dots = 0;
    if (strncmp(worker, host, len) != 0 || worker[len] != '.' || strchr(worker, '/'))
        return false;
    for (const char *at = worker + len; *at; at++)
        dots += *at == '.';
    return dots == 3;
}

bool workspace_dead(const char *workspace, const char *worker, const char *host)
{
    char path[PATH_MAX];
    struct err ignored = {0};
    return is_of_host(worker, host) && lock_path(workspace, worker, path) == 0 &&
           process_locked(path, &ignored) == 0;
}

/* Calls `each` with every worker's id that begins with "<host>.". */
static void each_worker(const char *workspace, const char *host,
                        void (*each)(void *arg, const char *worker), void *arg)
{
    char path[PATH_MAX];
    if (lock_path(workspace, "", path))
        return;
    CLEANUP(closedir_at) DIR *dir = opendir(path);
    if (!dir)
        return;
    for (struct dirent *entry; (entry = readdir(dir));)
        if (is_of_host(entry->d_name, host))
            each(arg, entry->d_name);
}

struct survey {
    const char *workspace, *host, *kind;
    int living;
};

static void count_living(void *arg, const char *worker)
{
    struct survey *survey = arg;
    const char *kind = worker + strlen(survey->host) + 1;
    size_t len = strlen(survey->kind);
    if (strncmp(kind, survey->kind, len) == 0 && kind[len] == '.')
        survey->living += !workspace_dead(survey->workspace, worker, survey->host);
}

int workspace_living(const char *workspace, const char *host, const char *kind)
{
    struct survey survey = {workspace, host, kind, 0};
    each_worker(workspace, host, count_living, &survey);
    return survey.living;
}

static void remove_old(void *arg, const char *worker)
{
    struct survey *survey = arg;
    char path[PATH_MAX];
    struct stat info;
    if (lock_path(survey->workspace, worker, path) || stat(path, &info) ||
        clock_now_ms() / 1000 - info.st_mtime < OLD_S)
        return;
    if (workspace_dead(survey->workspace, worker, survey->host))
        unlink(path);
}

void workspace_forget_dead(const char *workspace, const char *host)
{
    struct survey survey = {workspace, host, NULL, 0};
    each_worker(workspace, host, remove_old, &survey);
}
