/* Migrate: objects go from one backend to the other, and their rows with them.
 *
 * At every moment each object has a row that tells of it: the copy's row is `pending` before it is
 * sent; when the copy has been read back, one write makes it `stored` and the source's row
 * `deleting`; the source goes after a while, then its row. Whatever dies in between, the next run
 * reads from the rows what is left to do. */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/file_id.h"
#include "common/store_sum.h"
#include "proto/project.h"
#include "proto/transition.h"
#include "worker/storage/migrate.h"

/* What a batch may take in the workspace, unless one object is larger. */
enum { BATCH_BYTES = 256 << 20 };

/* --- copying --- */

static bool names_living_job(const struct file_path *row, const struct job *jobs, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!job_terminal(&jobs[i]) && strcmp(jobs[i].id, row->job) == 0)
            return true;
    return false;
}

/* What a living job is writing is left to it. */
static int drop_living(struct migration *all, struct file_path *rows, size_t *len, struct err *err)
{
    const char *ids[MIGRATE_PAGE];
    struct job *jobs;
    size_t asked = 0, found, kept = 0;
    for (size_t i = 0; i < *len; i++)
        if (rows[i].job && (asked == 0 || strcmp(ids[asked - 1], rows[i].job) != 0))
            ids[asked++] = rows[i].job;
    if (asked == 0)
        return 0;
    if (store_jobs_by_id(run_store(all->report.run), ids, asked, &all->page, &jobs, &found, err))
        return -1;
    for (size_t i = 0; i < *len; i++) {
        bool living = rows[i].job && names_living_job(&rows[i], jobs, found);
        all->report.result->living += living;
        if (!living)
            rows[kept++] = rows[i];
    }
    *len = kept;
    return 0;
}

/* 1: the row's project was deleted: its cleanup takes the object where it is. */
static int is_deleted(struct migration *all, const struct file_path *row, struct err *err)
{
    char key[PROJECT_KEY_MAX + 1];
    struct project found, filter = {.id = key};
    if (!row->tenant || !row->project_id || project_key(row->tenant, row->project_id, key))
        return 0;
    if (strcmp(key, all->project) == 0)
        return all->deleted;
    if (store_get(run_store(all->report.run), PROJECT_COLLECTION, &project_doc, &filter, &all->page,
                  &found, err)) {
        if (err->code != ERR_NOT_FOUND)
            return -1;
        *err = (struct err){0};
        found.deleted_at = 0;
    }
    memcpy(all->project, key, sizeof key);
    all->deleted = found.deleted_at != 0;
    return all->deleted;
}

static void begin_copy(struct migration *all, const struct file_path *row, struct copy *copy)
{
    const char *backend = bucket_backend(all->to);
    *copy = (struct copy){.from = *row, .to = *row};
    copy->to.id = file_id(backend, row->object_key, &all->copier.arena);
    copy->to.backend = backend;
    copy->to.bucket = bucket_name(all->to);
    copy->to.etag = NULL;
    copy->to.state = FILE_PENDING;
    copy->to.updated_at = clock_now_ms();
}

static int write_rows(struct migration *all, const struct file_path *rows, size_t len,
                      struct err *err)
{
    return len == 0 ? 0
                    : store_upsert_many(run_store(all->report.run), FILE_PATH_COLLECTION,
                                        &file_path_doc, rows, len, err);
}

static int announce(struct migration *all, const struct copy *copies, size_t len, struct err *err)
{
    struct file_path rows[COPY_MAX];
    for (size_t i = 0; i < len; i++)
        rows[i] = copies[i].to;
    return write_rows(all, rows, len, err);
}

/* The copies' rows become `stored`, the sources' `deleting`: from now on readers look there. */
static int switch_rows(struct migration *all, struct copy *copies, size_t len, struct err *err)
{
    struct file_path rows[2 * COPY_MAX];
    size_t count = 0;
    int64_t now = clock_now_ms();
    for (size_t i = 0; i < len; i++) {
        if (copies[i].err.code)
            continue;
        copies[i].to.state = FILE_STORED;
        copies[i].from.state = FILE_DELETING;
        copies[i].to.updated_at = copies[i].from.updated_at = now;
        rows[count++] = copies[i].to;
        rows[count++] = copies[i].from;
    }
    if (write_rows(all, rows, count, err))
        return -1;
    all->report.result->switched += (int64_t)count / 2;
    return 0;
}

/* A copy that did not come to be: nothing of it is left in the target, neither object nor row. */
static int undo(struct migration *all, const struct copy *copies, size_t len, struct err *err)
{
    const char *keys[COPY_MAX], *ids[COPY_MAX];
    size_t count = 0;
    for (size_t i = 0; i < len; i++) {
        if (!copies[i].err.code)
            continue;
        migrate_failed(all, &copies[i].from);
        keys[count] = copies[i].to.object_key;
        ids[count++] = copies[i].to.id;
    }
    if (count == 0)
        return 0;
    return bucket_delete(all->to, keys, count, NULL, err) ||
                   store_delete_many(run_store(all->report.run), FILE_PATH_COLLECTION,
                                     &file_path_doc, ids, count, err)
               ? -1
               : 0;
}

static int migrate_batch(struct migration *all, struct copy *copies, size_t len, struct err *err)
{
    struct storage_result *result = all->report.result;
    if (len == 0)
        return 0;
    if (announce(all, copies, len, err) || copy_all(&all->copier, copies, len, err))
        return -1;
    for (size_t i = 0; i < len; i++) {
        if (copies[i].err.code)
            continue;
        result->copied++;
        result->bytes += copies[i].from.size_bytes;
    }
    if (switch_rows(all, copies, len, err) || undo(all, copies, len, err))
        return -1;
    arena_reset(&all->copier.arena);
    all->seen += (int64_t)len;
    migrate_progress(all);
    return 0;
}

static int migrate_page(struct migration *all, const struct file_path *rows, size_t len,
                        struct err *err)
{
    struct copy copies[COPY_MAX];
    size_t count = 0;
    int64_t bytes = 0;
    for (size_t i = 0; i < len; i++) {
        int deleted = is_deleted(all, &rows[i], err);
        if (deleted < 0)
            return -1;
        if (deleted)
            continue;
        if (count == COPY_MAX || (count > 0 && bytes + rows[i].size_bytes > BATCH_BYTES)) {
            if (migrate_batch(all, copies, count, err))
                return -1;
            count = 0;
            bytes = 0;
        }
        begin_copy(all, &rows[i], &copies[count++]);
        bytes += rows[i].size_bytes;
    }
    return migrate_batch(all, copies, count, err);
}

static int migrate_all(struct migration *all, struct err *err)
{
    char after[OBJECT_KEY_MAX + 1] = "";
    size_t len;
    do {
        struct file_path *rows;
        size_t read;
        arena_reset(&all->page);
        if (run_stopped(all->report.run))
            return run_stop_error(all->report.run, err);
        if (migrate_rows(all, FILE_STORED, after, &rows, &len, err))
            return -1;
        read = len;
        all->report.result->rows += (int64_t)len;
        if (len > 0)
            snprintf(after, sizeof after, "%s", rows[len - 1].object_key);
        if (drop_living(all, rows, &len, err) || migrate_page(all, rows, len, err))
            return -1;
        if (report_is_due(&all->report) && report_save(&all->report, NULL, err))
            return -1;
        len = read;
    } while (len == MIGRATE_PAGE);
    return 0;
}

/* --- the task --- */

static int begin(struct migration *all, struct err *err)
{
    struct run *run = all->report.run;
    const struct file_path filter = {.backend = backend_names[all->asked->from]};
    struct err ignored = {0};
    struct store_sum *sum;
    size_t len;
    if (report_begin(&all->report, err) ||
        run_open_bucket(run, all->asked->from, &all->from, err) ||
        run_open_bucket(run, all->asked->to, &all->to, err))
        return -1;
    all->copier = (struct copier){.run = run,
                                  .from = all->from,
                                  .to = all->to,
                                  .reading = {.run = run, .rate_bytes = all->asked->rate_bytes},
                                  .writing = {.run = run, .rate_bytes = all->asked->rate_bytes}};
    if (copy_check(&all->copier, err))
        return -1;
    /* Only for the progress: a store that cannot count so many in time is no failure. */
    if (store_sum(run_store(run), FILE_PATH_COLLECTION, &file_path_doc, &filter, NULL, "size_bytes",
                  1, run_arena(run), &sum, &len, &ignored) == 0 &&
        len > 0)
        all->expected = sum->count;
    return 0;
}

int storage_migrate(struct run *run, const void *in, void *out, struct err *err)
{
    const struct storage_params *params = in;
    struct migration *all = arena_alloc(run_arena(run), sizeof *all);
    all->report = (struct report){.run = run, .result = out};
    all->asked = &params->migrate;
    int failed = begin(all, err) || migrate_all(all, err) || migrate_sources(all, err) ? -1 : 0;
    bucket_free(all->from);
    bucket_free(all->to);
    arena_release(&all->copier.arena);
    arena_release(&all->page);
    return failed;
}
