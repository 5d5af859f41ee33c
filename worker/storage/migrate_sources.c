/* The second half of a migration: sources that were copied are deleted; and what both halves use.
 */
#include "worker/storage/migrate.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/file_id.h"

/* For players that were sent to the old place: a redirect may be kept for 30 s. */
enum { GRACE_MS = 45000 };

void migrate_progress(struct migration *all)
{
    const struct storage_result *result = all->report.result;
    char message[128];
    snprintf(message, sizeof message, "%lld copied (%.1f MB), %lld deleted, %lld failed",
             (long long)result->copied, (double)result->bytes / 1e6, (long long)result->deleted,
             (long long)result->failed);
    run_progress(all->report.run, all->expected ? all->seen * 95 / all->expected : 0, message);
}

int migrate_rows(struct migration *all, enum file_state state, const char *after,
                 struct file_path **out, size_t *len, struct err *err)
{
    const struct file_path filter = {
        .backend = bucket_backend(all->from), .project_id = all->asked->project_id, .state = state};
    const struct store_page page = {
        .filter = &filter, .after = after, .limit = MIGRATE_PAGE, .order = "object_key"};
    void *rows;
    if (store_find(run_store(all->report.run), FILE_PATH_COLLECTION, &file_path_doc, &page,
                   &all->page, &rows, len, err))
        return -1;
    *out = rows;
    return 0;
}

void migrate_failed(struct migration *all, const struct file_path *row)
{
    const struct storage_item item = {.key = row->object_key, .size_bytes = row->size_bytes};
    all->report.result->failed++;
    report_item(&all->report, &all->report.result->failed_list, &item);
}

/* Of those that are `deleting` only the ones whose copy is `stored`: others are a cleanup's. */
static int find_copied(struct migration *all, const struct file_path *rows, size_t len,
                       const struct file_path *copied[MIGRATE_PAGE], size_t *count, struct err *err)
{
    const char *ids[MIGRATE_PAGE] = {NULL};
    size_t there;
    void *found;
    *count = 0;
    for (size_t i = 0; i < len; i++)
        ids[i] = file_id(bucket_backend(all->to), rows[i].object_key, &all->page);
    if (len == 0)
        return 0;
    if (store_by_ids(run_store(all->report.run), FILE_PATH_COLLECTION, &file_path_doc, ids, len,
                     &all->page, &found, &there, err))
        return -1;
    const struct file_path *copies = found;
    for (size_t i = 0; i < len; i++)
        for (size_t n = 0; n < there; n++)
            if (copies[n].state == FILE_STORED && strcmp(copies[n].id, ids[i]) == 0)
                copied[(*count)++] = &rows[i];
    return 0;
}

/* Whoever was sent to an S3 server has its URL for a while; files are read by the gateway alone. */
static int wait_for_readers(struct migration *all, int64_t switched_at, struct err *err)
{
    if (copy_from_files(all->from))
        return 0;
    for (int64_t left; (left = switched_at + GRACE_MS - clock_now_ms()) > 0;) {
        if (run_stopped(all->report.run))
            return run_stop_error(all->report.run, err);
        clock_sleep_ms(left < 200 ? left : 200);
    }
    return 0;
}

static int audit(struct migration *all, const struct file_path *const *copied, size_t len,
                 struct err *err)
{
    struct storage_result counts = {.objects = (int64_t)len};
    for (size_t i = 0; i < len; i++)
        counts.bytes += copied[i]->size_bytes;
    const char *subject = arena_printf(&all->page, "%s: %s … %s", bucket_backend(all->from),
                                       copied[0]->object_key, copied[len - 1]->object_key);
    return report_audit(&all->report, "storage.migrate", subject, &counts, err);
}

static int delete_sources(struct migration *all, const struct file_path *const *copied, size_t len,
                          struct err *err)
{
    const char *keys[MIGRATE_PAGE] = {NULL}, *ids[MIGRATE_PAGE];
    struct err errs[MIGRATE_PAGE] = {{0}}, first = {0};
    size_t gone = 0;
    for (size_t i = 0; i < len; i++)
        keys[i] = copied[i]->object_key;
    bool failed = bucket_delete(all->from, keys, len, errs, &first);
    for (size_t i = 0; i < len; i++) {
        failed = failed && errs[i].code == ERR_NONE;
        if (errs[i].code)
            migrate_failed(all, copied[i]);
        else
            ids[gone++] = copied[i]->id;
    }
    if (failed) /* the call as a whole */
        return *err = first, -1;
    all->report.result->deleted += (int64_t)gone;
    return gone == 0 ? 0
                     : store_delete_many(run_store(all->report.run), FILE_PATH_COLLECTION,
                                         &file_path_doc, ids, gone, err);
}

static int delete_page(struct migration *all, const struct file_path *rows, size_t len,
                       struct err *err)
{
    const struct file_path *copied[MIGRATE_PAGE];
    size_t count;
    int64_t switched_at = 0;
    if (find_copied(all, rows, len, copied, &count, err))
        return -1;
    if (count == 0)
        return 0;
    for (size_t i = 0; i < count; i++)
        if (copied[i]->updated_at > switched_at)
            switched_at = copied[i]->updated_at;
    return wait_for_readers(all, switched_at, err) || audit(all, copied, count, err) ||
                   delete_sources(all, copied, count, err)
               ? -1
               : 0;
}

int migrate_sources(struct migration *all, struct err *err)
{
    char after[OBJECT_KEY_MAX + 1] = "";
    size_t len;
    do {
        struct file_path *rows;
        arena_reset(&all->page);
        if (run_stopped(all->report.run))
            return run_stop_error(all->report.run, err);
        if (migrate_rows(all, FILE_DELETING, after, &rows, &len, err))
            return -1;
        if (len > 0)
            snprintf(after, sizeof after, "%s", rows[len - 1].object_key);
        if (delete_page(all, rows, len, err))
            return -1;
        migrate_progress(all);
    } while (len == MIGRATE_PAGE);
    return 0;
}
