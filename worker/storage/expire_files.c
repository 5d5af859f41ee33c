/* What lies about outside of the ledger: directories of the workspace, and uploads that were begun.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common/bucket_admin.h"
#include "common/cleanup.h"
#include "proto/file_path.h"
#include "worker/storage/expire.h"
#include "worker/workspace.h"

enum { ULID_BYTES = 27 };

static int64_t ms_of(const struct timespec *time)
{
    return (int64_t)time->tv_sec * 1000 + time->tv_nsec / 1000000;
}

/* When anything in it changed last: its own time and that of the runs' directories. INT64_MAX:
 * nobody knows. */
static int64_t touched_at(const char *path)
{
    struct stat info;
    CLEANUP(closedir_at) DIR *dir = opendir(path);
    if (!dir || fstat(dirfd(dir), &info))
        return INT64_MAX;
    int64_t last = ms_of(&info.st_mtim);
    for (const struct dirent *entry; (entry = readdir(dir));) {
        if (strcmp(entry->d_name, "..") == 0)
            continue;
        if (fstatat(dirfd(dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
            ms_of(&info.st_mtim) > last)
            last = ms_of(&info.st_mtim);
    }
    return last;
}

static void remove_directory(struct expiry *expiry, const char *path, const char *job)
{
    struct err own = {0};
    const struct storage_item item = {.key = job};
    if (expiry->dry_run || workspace_remove(path, &own) == 0) {
        expiry->result->directories++;
        return;
    }
    expiry->result->failed++;
    report_item(&expiry->report, &expiry->result->failed_list, &item);
}

/* Listed before the store was asked: a directory is made by a job that is in the store already. */
static int end_directories(struct expiry *expiry, const char *const *jobs, size_t len,
                           struct arena *arena, struct err *err)
{
    bool *dead = arena_alloc_array(arena, len + 1, sizeof *dead);
    if (expire_judge(expiry, jobs, len, dead, arena, err))
        return -1;
    for (size_t i = 0; i < len; i++) {
        const char *path = arena_printf(arena, "%s/%s", run_workspace(expiry->run), jobs[i]);
        if (dead[i] && touched_at(path) < expiry->before)
            remove_directory(expiry, path, jobs[i]);
        else
            expiry->result->living++;
    }
    return 0;
}

int expire_directories(struct expiry *expiry, struct err *err)
{
    struct arena batch = {0};
    const char *jobs[EXPIRE_BATCH];
    const char *why;
    size_t len = 0;
    int result = 0;
    CLEANUP(closedir_at) DIR *dir = opendir(run_workspace(expiry->run));
    if (!dir)
        return err_errno(err, errno, "open the workspace");
    for (const struct dirent *entry; result == 0 && (entry = readdir(dir));) {
        if (ulid_check(entry->d_name, &why) != ERR_NONE)
            continue;
        jobs[len++] = arena_strdup(&batch, entry->d_name);
        if (len < EXPIRE_BATCH)
            continue;
        result = end_directories(expiry, jobs, len, &batch, err);
        arena_reset(&batch);
        len = 0;
        if (result == 0 && run_stopped(expiry->run))
            result = run_stop_error(expiry->run, err);
    }
    if (result == 0 && len > 0)
        result = end_directories(expiry, jobs, len, &batch, err);
    arena_release(&batch);
    return result;
}

/* A local one has no key: its lock says whether somebody writes it. */
static int end_uploads(struct expiry *expiry, const struct uploads *page, struct arena *arena,
                       struct err *err)
{
    const char **jobs = arena_alloc_array(arena, page->len + 1, sizeof *jobs);
    bool *dead = arena_alloc_array(arena, page->len + 1, sizeof *dead);
    for (size_t i = 0; i < page->len; i++) {
        char *job = arena_alloc(arena, ULID_BYTES);
        jobs[i] = file_key_job(page->at[i].key, job) ? job : NULL;
    }
    if (expire_judge(expiry, jobs, page->len, dead, arena, err))
        return -1;
    for (size_t i = 0; i < page->len; i++) {
        const struct upload *upload = &page->at[i];
        bool ours = jobs[i] || *upload->key == '\0';
        bool aborted = true;
        if (!ours || !dead[i] || upload->begun_at == 0 || upload->begun_at >= expiry->before) {
            expiry->result->living += ours;
            continue;
        }
        if (!expiry->dry_run && bucket_abort_upload(expiry->bucket, upload, &aborted, err))
            return -1;
        *(aborted ? &expiry->result->uploads : &expiry->result->living) += 1;
    }
    return 0;
}

int expire_uploads(struct expiry *expiry, struct err *err)
{
    struct arena pages[2] = {{0}, {0}};
    const struct upload *after = NULL;
    int result = 0;
    for (int i = 0; result == 0; i ^= 1) {
        struct uploads page = {0};
        arena_reset(&pages[i]);
        result =
            bucket_list_uploads(expiry->bucket, "", after, EXPIRE_BATCH, &pages[i], &page, err);
        if (result == 0)
            result = end_uploads(expiry, &page, &pages[i], err);
        if (result == 0 && run_stopped(expiry->run))
            result = run_stop_error(expiry->run, err);
        after = page.next;
        if (!after)
            break;
    }
    arena_release(&pages[0]);
    arena_release(&pages[1]);
    return result;
}
