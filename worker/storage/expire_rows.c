/* Rows of uploads that ended halfway, with their objects; records of jobs past their time. */
#include <string.h>

#include "proto/file_path.h"
#include "proto/job.h"
#include "worker/storage/expire.h"

/* Of a job's record what says whether it is over. */
struct ended {
    const char *id, *project_id;
    enum job_state state;
    int64_t created_at, finished_at, expires_at;
    bool simple;
};
static const struct field ended_fields[] = {
    FIELD(ended, id, .flags = FIELD_ID, .text = "The job's."),
    FIELD(ended, project_id, .text = "The job's."),
    FIELD(ended, state, .names = job_state_names, .text = "The job's."),
    FIELD(ended, created_at, .flags = FIELD_TIME, .text = "The job's."),
    FIELD(ended, finished_at, .flags = FIELD_TIME, .text = "The job's."),
    FIELD(ended, expires_at, .flags = FIELD_TIME, .text = "The job's."),
    FIELD(ended, simple, .text = "The job's."),
};
static const struct doc ended_doc = DOC(ended, ended_fields);

/* Rows to be ended, with their objects' keys. */
struct doomed {
    const char **ids, **keys;
    const int64_t *sizes;
    size_t len;
};

static int forget(struct expiry *expiry, const struct doomed *doomed, const struct err *errs,
                  struct arena *arena, struct err *err)
{
    const char **ids = arena_alloc_array(arena, doomed->len, sizeof *ids);
    struct storage_result *result = expiry->result;
    size_t len = 0;
    for (size_t i = 0; i < doomed->len; i++) {
        const struct storage_item item = {.key = doomed->keys[i], .size_bytes = doomed->sizes[i]};
        if (errs[i].code == ERR_NONE) {
            ids[len++] = doomed->ids[i];
            continue;
        }
        result->failed++;
        report_item(&expiry->report, &result->failed_list, &item);
    }
    if (store_delete_many(run_store(expiry->run), FILE_PATH_COLLECTION, &file_path_doc, ids, len,
                          err))
        return -1;
    result->deleted += (int64_t)len;
    result->forgotten += (int64_t)len;
    return 0;
}

/* Nothing went, and it may go later: the bucket's trouble, not the objects'. */
static bool is_away(const struct err *errs, size_t len, const struct err *first)
{
    for (size_t i = 0; i < len; i++)
        if (errs[i].code == ERR_NONE)
            return false;
    return error_class(first->code) != CLASS_PERMANENT;
}

/* The object first: a crash in between leaves a row that leads to nothing, never an object that no
 * row leads to. */
static int end_rows(struct expiry *expiry, const struct doomed *doomed, struct arena *arena,
                    struct err *err)
{
    struct err *errs = arena_alloc_array(arena, doomed->len + 1, sizeof *errs);
    struct err first = {0};
    if (doomed->len == 0)
        return 0;
    if (expiry->dry_run) {
        expiry->result->deleted += (int64_t)doomed->len;
        expiry->result->forgotten += (int64_t)doomed->len;
        return 0;
    }
    if (bucket_delete(expiry->bucket, doomed->keys, doomed->len, errs, &first) &&
        is_away(errs, doomed->len, &first))
        return *err = first, -1;
    return forget(expiry, doomed, errs, arena, err);
}

static int64_t changed_at(const struct file_path *row)
{
    return row->updated_at > row->created_at ? row->updated_at : row->created_at;
}

/* `dead` NULL: all are. */
static int end_page(struct expiry *expiry, const struct file_path *rows, size_t len,
                    const bool *dead, struct arena *arena, struct err *err)
{
    int64_t *sizes = arena_alloc_array(arena, len, sizeof *sizes);
    struct doomed doomed = {.ids = arena_alloc_array(arena, len, sizeof *doomed.ids),
                            .keys = arena_alloc_array(arena, len, sizeof *doomed.keys),
                            .sizes = sizes};
    for (size_t i = 0; i < len; i++) {
        bool over = changed_at(&rows[i]) < expiry->before;
        if (!dead && expiry->dry_run && rows[i].state != FILE_STORED)
            continue; /* expire_rows has counted it */
        if ((dead && !dead[i]) || !over) {
            expiry->result->living++;
            continue;
        }
        if (!rows[i].object_key || !object_key_valid(rows[i].object_key))
            continue; /* nothing that this program may delete */
        doomed.ids[doomed.len] = rows[i].id;
        doomed.keys[doomed.len] = rows[i].object_key;
        sizes[doomed.len++] = rows[i].size_bytes;
    }
    return end_rows(expiry, &doomed, arena, err);
}

static int judge_page(struct expiry *expiry, const struct file_path *rows, size_t len,
                      struct arena *arena, struct err *err)
{
    const char **jobs = arena_alloc_array(arena, len, sizeof *jobs);
    bool *dead = arena_alloc_array(arena, len, sizeof *dead);
    for (size_t i = 0; i < len; i++)
        jobs[i] = rows[i].job;
    if (expire_judge(expiry, jobs, len, dead, arena, err))
        return -1;
    expiry->result->rows += (int64_t)len;
    return end_page(expiry, rows, len, dead, arena, err);
}

/* All that match, page by page. job_is_dead: nobody need ask for the jobs. */
static int walk(struct expiry *expiry, const struct file_path *filter, bool job_is_dead,
                struct err *err)
{
    struct arena pages[2] = {{0}, {0}};
    struct store_page page = {.filter = filter, .limit = EXPIRE_BATCH};
    size_t len = EXPIRE_BATCH;
    int result = 0;
    for (int i = 0; result == 0 && len == EXPIRE_BATCH; i ^= 1) {
        void *found;
        arena_reset(&pages[i]);
        result = store_find(run_store(expiry->run), FILE_PATH_COLLECTION, &file_path_doc, &page,
                            &pages[i], &found, &len, err);
        if (result || len == 0)
            break;
        page.after = ((const struct file_path *)found)[len - 1].id;
        result = job_is_dead ? end_page(expiry, found, len, NULL, &pages[i], err)
                             : judge_page(expiry, found, len, &pages[i], err);
        if (result == 0 && run_stopped(expiry->run))
            result = run_stop_error(expiry->run, err);
        if (result == 0 && report_is_due(&expiry->report))
            result = report_save(&expiry->report, NULL, err);
    }
    arena_release(&pages[0]);
    arena_release(&pages[1]);
    return result;
}

int expire_rows(struct expiry *expiry, struct err *err)
{
    static const enum file_state states[] = {FILE_PENDING, FILE_DELETING};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        const struct file_path filter = {.state = states[i],
                                         .backend = bucket_backend(expiry->bucket)};
        if (walk(expiry, &filter, false, err))
            return -1;
    }
    return 0;
}

int expire_job_rows(struct expiry *expiry, const char *job, struct err *err)
{
    const struct file_path filter = {.job = job, .backend = bucket_backend(expiry->bucket)};
    return walk(expiry, &filter, true, err);
}

/* What a failed job stored belongs to nobody; a failed cleanup may have left it. */
static int end_jobs(struct expiry *expiry, const struct ended *jobs, size_t len,
                    struct arena *arena, struct err *err)
{
    const char **ids = arena_alloc_array(arena, len, sizeof *ids);
    size_t over = 0;
    for (size_t i = 0; i < len; i++) {
        const struct ended *job = &jobs[i];
        bool failed = job->state != JOB_SUCCEEDED && job->project_id && !job->simple;
        if (failed && job->finished_at < expiry->before && expire_job_rows(expiry, job->id, err))
            return -1;
        if (job->expires_at > 0 && job->expires_at < expiry->now)
            ids[over++] = job->id;
        if (run_stopped(expiry->run))
            return run_stop_error(expiry->run, err);
    }
    expiry->result->expired_jobs += (int64_t)over;
    if (over == 0 || expiry->dry_run)
        return 0;
    return store_delete_many(run_store(expiry->run), "jobs", &ended_doc, ids, over, err);
}

/* In the order of their ids, the oldest first. Of those that succeeded, none that is younger than
 * records are kept. */
static int walk_jobs(struct expiry *expiry, enum job_state state, struct err *err)
{
    struct arena pages[2] = {{0}, {0}};
    const struct ended filter = {.state = state};
    struct store_page page = {.filter = &filter, .limit = EXPIRE_BATCH};
    size_t len = EXPIRE_BATCH;
    int result = 0;
    for (int i = 0; result == 0 && len == EXPIRE_BATCH; i ^= 1) {
        void *found;
        arena_reset(&pages[i]);
        result = store_find(run_store(expiry->run), "jobs", &ended_doc, &page, &pages[i], &found,
                            &len, err);
        const struct ended *jobs = result ? NULL : found;
        if (result || len == 0)
            break;
        page.after = jobs[len - 1].id;
        result = end_jobs(expiry, jobs, len, &pages[i], err);
        if (state == JOB_SUCCEEDED && jobs[len - 1].created_at > expiry->now - JOB_KEEP_MS)
            break;
    }
    arena_release(&pages[0]);
    arena_release(&pages[1]);
    return result;
}

int expire_jobs(struct expiry *expiry, struct err *err)
{
    static const enum job_state states[] = {JOB_SUCCEEDED, JOB_FAILED, JOB_CANCELLED};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (walk_jobs(expiry, states[i], err))
            return -1;
    return 0;
}
