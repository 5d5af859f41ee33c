/* A job's objects: open uploads aborted, everything under its prefix deleted, its rows marked, and
 * later forgotten. */
#include "worker/cleanup/cleanup.h"

#include <stdlib.h>
#include <string.h>

#include "common/audit.h"
#include "common/bucket_admin.h"
#include "common/clock.h"
#include "common/doc_bson.h"
#include "common/id.h"
#include "proto/file_path.h"
#include "worker/cleanup/project.h"

enum { BATCH = 500 };

struct rows {
    struct file_path *at; /* sorted by key */
    size_t len, room;
    bool *found; /* its object was in the bucket */
};

static void append(struct rows *rows, const struct file_path *more, size_t len, struct arena *arena)
{
    if (rows->len + len > rows->room) {
        rows->room = 2 * (rows->len + len);
        struct file_path *all = arena_alloc_array(arena, rows->room, sizeof *all);
        if (rows->len)
            memcpy(all, rows->at, rows->len * sizeof *all);
        rows->at = all;
    }
    memcpy(rows->at + rows->len, more, len * sizeof *more);
    rows->len += len;
}

/* Of this backend: what lies in another one is not deleted here, and must not be forgotten. */
static int read_rows(struct run *run, const struct bucket *bucket, const char *job,
                     struct rows *rows, struct err *err)
{
    struct file_path filter = {.job = job, .backend = bucket_backend(bucket)};
    struct store_page page = {.filter = &filter, .limit = BATCH};
    void *found;
    size_t len;
    *rows = (struct rows){0};
    do {
        if (store_find(run_store(run), FILE_PATH_COLLECTION, &file_path_doc, &page, run_arena(run),
                       &found, &len, err))
            return -1;
        if (len == 0)
            break;
        page.after = ((struct file_path *)found)[len - 1].id;
        append(rows, found, len, run_arena(run));
    } while (len == BATCH);
    rows->found = arena_alloc_array(run_arena(run), rows->len + 1, sizeof *rows->found);
    if (rows->len)
        qsort(rows->at, rows->len, sizeof *rows->at, file_path_by_key);
    return 0;
}

/* From now on nobody takes the objects for there. */
static int mark_rows(struct run *run, struct rows *rows, struct err *err)
{
    for (size_t i = 0; i < rows->len; i++) {
        rows->at[i].state = FILE_DELETING;
        rows->at[i].updated_at = clock_now_ms();
    }
    if (rows->len == 0)
        return 0;
    return store_upsert_many(run_store(run), FILE_PATH_COLLECTION, &file_path_doc, rows->at,
                             rows->len, err);
}

static void note_found(struct rows *rows, const struct objects *objects)
{
    for (size_t i = 0; i < objects->len; i++) {
        struct file_path wanted = {.object_key = objects->at[i].key};
        struct file_path *row =
            rows->len ? bsearch(&wanted, rows->at, rows->len, sizeof *rows->at, file_path_by_key)
                      : NULL;
        if (row)
            rows->found[row - rows->at] = true;
    }
}

static int delete_page(struct bucket *bucket, const struct objects *objects,
                       struct cleanup_result *result, struct arena *arena, struct err *err)
{
    const char **keys = arena_alloc_array(arena, objects->len, sizeof *keys);
    struct err *errs = arena_alloc_array(arena, objects->len, sizeof *errs);
    struct err first = {0};
    for (size_t i = 0; i < objects->len; i++)
        keys[i] = objects->at[i].key;
    int failed = bucket_delete(bucket, keys, objects->len, errs, &first);
    for (size_t i = 0; i < objects->len; i++)
        *(errs[i].code ? &result->failed : &result->deleted) += 1;
    return failed ? *err = first, -1 : 0;
}

static int delete_objects(struct run *run, struct bucket *bucket, const char *prefix,
                          struct rows *rows, struct cleanup_result *result, struct err *err)
{
    struct objects objects;
    const char *after = NULL;
    do {
        if (run_stopped(run))
            return run_stop_error(run, err);
        if (bucket_list(bucket, prefix, after, BATCH, run_arena(run), &objects, err))
            return -1;
        if (objects.len == 0)
            return 0;
        after = objects.at[objects.len - 1].key;
        note_found(rows, &objects);
        if (delete_page(bucket, &objects, result, run_arena(run), err))
            return -1;
    } while (objects.len == BATCH);
    return 0;
}

static int forget_rows(struct run *run, const struct rows *rows, struct cleanup_result *result,
                       struct err *err)
{
    const char **ids = arena_alloc_array(run_arena(run), rows->len + 1, sizeof *ids);
    for (size_t i = 0; i < rows->len; i++)
        ids[i] = rows->at[i].id;
    for (size_t from = 0; from < rows->len; from += BATCH) {
        size_t len = rows->len - from < BATCH ? rows->len - from : BATCH;
        if (store_delete_many(run_store(run), FILE_PATH_COLLECTION, &file_path_doc, ids + from, len,
                              err))
            return -1;
        result->records_deleted += (int64_t)len;
    }
    return 0;
}

int cleanup_audit(struct run *run, const char *action, const char *subject,
                  const struct cleanup_result *result, struct err *err)
{
    const struct job *job = run_job(run);
    struct arena *arena = run_arena(run);
    struct cleanup_result counts = *result;
    char id[ID_ULID_LEN + 1];
    counts.errors = (struct cleanup_errors){0};
    counts.state = (struct cleanup_state){0};
    id_child(job->id, arena_printf(arena, "audit-%lld", (long long)run_task(run)->failures), id);
    const struct audit line = {.id = id,
                               .at = clock_now_ms(),
                               .tenant = job->tenant,
                               .by = job->owner,
                               .action = action,
                               .subject = subject,
                               .job = job->id,
                               .counts = doc_bson_pack(&cleanup_result_doc, &counts, arena)};
    return audit_add(run_store(run), &line, err);
}

static int delete_all(struct run *run, struct bucket *bucket, const struct cleanup_params *params,
                      struct cleanup_result *result, struct err *err)
{
    struct rows rows;
    if (read_rows(run, bucket, params->job, &rows, err) || mark_rows(run, &rows, err))
        return -1;
    result->tracked = (int64_t)rows.len;
    if (bucket_abort_uploads(bucket, params->prefix, NULL, err) ||
        delete_objects(run, bucket, params->prefix, &rows, result, err))
        return -1;
    for (size_t i = 0; i < rows.len; i++)
        result->already_missing += !rows.found[i];
    return params->forget ? forget_rows(run, &rows, result, err) : 0;
}

static int job_cleanup(struct run *run, const void *in, void *out, struct err *err)
{
    const struct cleanup_params *params = in;
    struct cleanup_result *result = out;
    struct err unsaid = {0}; /* beside a failure of the deletion itself */
    struct bucket *bucket;
    size_t prefix_len = params->prefix ? file_prefix_len(params->prefix) : 0;
    if (prefix_len == 0 || params->prefix[prefix_len] != '\0' || !params->job)
        return err_set(err, ERR_INVALID_FORMAT, "'%s' is not the prefix of a job",
                       params->prefix ? params->prefix : "");
    if (run_bucket(run, &bucket, err)) {
        bool nothing = err->code == ERR_STORAGE_DISABLED; /* no bucket, so no objects */
        if (nothing)
            *err = (struct err){0};
        return nothing ? 0 : -1;
    }
    int failed = delete_all(run, bucket, params, result, err);
    if (result->deleted + result->records_deleted == 0 ||
        !cleanup_audit(run, "job.cleanup", params->prefix, result, failed ? &unsaid : err))
        return failed;
    return -1;
}

int cleanup(struct run *run, const void *in, void *out, struct err *err)
{
    const struct cleanup_params *params = in;
    return params->project_id ? project_cleanup(run, in, out, err) : job_cleanup(run, in, out, err);
}
