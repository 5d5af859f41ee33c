/* Rows in the order of their keys, which is the order of the bucket's listing: one listing of a
 * batch's stretch tells which of its objects are there, where a HEAD for each would cost a round
 * trip for each. */
#include <stdlib.h>
#include <string.h>

#include "common/bucket_admin.h"
#include "worker/cleanup/project.h"

struct batch {
    struct file_path *rows; /* ascending by key */
    size_t len;
    bool full;  /* there may be more */
    bool asked; /* the bucket, by this run: `found` says whether the object is there */
    bool *found;
    struct err *errs;
};

static int read_batch(struct project_run *project, struct arena *arena, struct batch *batch,
                      struct err *err)
{
    const struct cleanup_state *state = &project->result->state;
    const struct file_path filter = {
        .tenant = run_job(project->run)->tenant,
        .project_id = project->params->project_id,
        /* Rows are forgotten wherever their objects lie; objects are deleted here only. */
        .backend = project->params->delete_records_only ? NULL : bucket_backend(project->bucket)};
    /* Two backends may have the same key: no row may be passed over. */
    const char *after = project->params->delete_records_only ? NULL : state->after;
    const struct store_page page = {
        .filter = &filter, .order = "object_key", .after = after, .limit = PROJECT_BATCH};
    void *rows;
    *batch = (struct batch){0};
    if (store_find(run_store(project->run), FILE_PATH_COLLECTION, &file_path_doc, &page, arena,
                   &rows, &batch->len, err))
        return -1;
    batch->rows = rows;
    batch->full = batch->len == PROJECT_BATCH;
    while (state->until && batch->len > 0 &&
           strcmp(batch->rows[batch->len - 1].object_key, state->until) > 0) {
        batch->len--;
        batch->full = false;
    }
    batch->found = arena_alloc_array(arena, batch->len + 1, sizeof *batch->found);
    batch->errs = arena_alloc_array(arena, batch->len + 1, sizeof *batch->errs);
    return 0;
}

/* --- which objects are there --- */

static void mark(struct batch *batch, const struct objects *objects)
{
    for (size_t i = 0; i < objects->len; i++) {
        const struct file_path wanted = {.object_key = objects->at[i].key};
        const struct file_path *row =
            bsearch(&wanted, batch->rows, batch->len, sizeof *batch->rows, file_path_by_key);
        if (row)
            batch->found[row - batch->rows] = true;
    }
}

/* The stretch of the listing from what is done to the batch's last key. */
static int list_stretch(struct project_run *project, const char *prefix, const char *last,
                        struct batch *batch, struct err *err)
{
    const char *after = project->result->state.after;
    char from[OBJECT_KEY_MAX + 1];
    bool more;
    do {
        struct arena arena = {0};
        struct objects objects;
        if (run_stopped(project->run))
            return run_stop_error(project->run, err);
        if (bucket_list(project->bucket, prefix, after, PROJECT_BATCH, &arena, &objects, err)) {
            arena_release(&arena);
            return -1;
        }
        mark(batch, &objects);
        more = objects.len == PROJECT_BATCH;
        if (more)
            after = strncpy(from, objects.at[objects.len - 1].key, sizeof from - 1);
        from[sizeof from - 1] = '\0';
        arena_release(&arena);
    } while (more && strcmp(after, last) < 0);
    return 0;
}

/* A row that was made by hand, or for an old object: there are few. */
static int ask(struct project_run *project, const char *key, bool *found, struct arena *arena,
               struct err *err)
{
    struct object object;
    if (run_stopped(project->run))
        return run_stop_error(project->run, err);
    *found = bucket_head(project->bucket, key, arena, &object, err) == 0;
    if (*found || err->code != ERR_OBJECT_NOT_FOUND)
        return *found ? 0 : -1;
    *err = (struct err){0};
    return 0;
}

static int find_objects(struct project_run *project, struct batch *batch, struct arena *arena,
                        struct err *err)
{
    char prefix[OBJECT_KEY_MAX + 1];
    const char *last = NULL;
    project_pattern(project->params->project_id, PATTERN_OWN, prefix);
    for (size_t i = 0; i < batch->len; i++) {
        const char *key = batch->rows[i].object_key;
        if (strncmp(key, prefix, strlen(prefix)) == 0)
            last = key;
        else if (object_key_valid(key) && ask(project, key, &batch->found[i], arena, err))
            return -1;
    }
    return last ? list_stretch(project, prefix, last, batch, err) : 0;
}

/* Where the prefix is not this project's alone, open uploads are found by their rows. */
static int abort_pending(struct project_run *project, const struct batch *batch,
                         struct arena *arena, struct err *err)
{
    const char *done = "";
    for (size_t i = 0; discover_shared(project->discover) && i < batch->len; i++) {
        const struct file_path *row = &batch->rows[i];
        size_t len = file_prefix_len(row->object_key);
        if (row->state == FILE_STORED || len == 0 || strncmp(done, row->object_key, len) == 0)
            continue;
        done = arena_strndup(arena, row->object_key, len);
        if (bucket_abort_uploads(project->bucket, done, NULL, err))
            return -1;
    }
    return 0;
}

static int announce(struct project_run *project, struct batch *batch, struct arena *arena,
                    struct err *err)
{
    int64_t missing = 0, bytes = 0;
    if (!project->params->delete_records_only &&
        (abort_pending(project, batch, arena, err) || find_objects(project, batch, arena, err)))
        return -1;
    batch->asked = !project->params->delete_records_only;
    for (size_t i = 0; i < batch->len && batch->asked; i++) {
        missing += !batch->found[i];
        bytes += batch->found[i] ? batch->rows[i].size_bytes : 0;
    }
    return project_announce(project, batch->rows[batch->len - 1].object_key, (int64_t)batch->len,
                            missing, bytes, err);
}

/* --- deleting --- */

static int delete_objects(struct project_run *project, struct batch *batch, struct arena *arena,
                          struct err *err)
{
    const char **keys = arena_alloc_array(arena, batch->len + 1, sizeof *keys);
    size_t *row_of = arena_alloc_array(arena, batch->len + 1, sizeof *row_of), n = 0;
    struct err *errs = arena_alloc_array(arena, batch->len + 1, sizeof *errs);
    for (size_t i = 0; i < batch->len; i++) {
        if (object_key_valid(batch->rows[i].object_key)) {
            row_of[n] = i;
            keys[n++] = batch->rows[i].object_key;
        } else {
            err_set(&batch->errs[i], ERR_INVALID_FORMAT, "'%.200s' is no key",
                    batch->rows[i].object_key);
        }
    }
    if (project_delete(project, keys, n, errs, err))
        return -1;
    for (size_t i = 0; i < n; i++)
        batch->errs[row_of[i]] = errs[i];
    return 0;
}

static int forget_rows(struct project_run *project, const struct batch *batch, struct arena *arena,
                       struct err *err)
{
    const char **ids = arena_alloc_array(arena, batch->len + 1, sizeof *ids);
    size_t n = 0;
    for (size_t i = 0; i < batch->len; i++)
        if (batch->errs[i].code == ERR_NONE)
            ids[n++] = batch->rows[i].id;
    return n ? store_delete_many(run_store(project->run), FILE_PATH_COLLECTION, &file_path_doc, ids,
                                 n, err)
             : 0;
}

/* By what was announced: after a crash in the middle some of the rows are gone already. */
static void count(struct project_run *project, const struct batch *batch)
{
    const struct cleanup_state *state = &project->result->state;
    struct cleanup_result *result = project->result;
    int64_t failed = 0, failed_bytes = 0, all = state->count, missing = state->missing;
    for (size_t i = 0; i < batch->len; i++) {
        if (batch->errs[i].code == ERR_NONE)
            continue;
        failed++;
        if (batch->asked && !batch->found[i])
            missing--;
        else
            failed_bytes += batch->rows[i].size_bytes;
        project_note(project, batch->rows[i].object_key, batch->errs[i].code,
                     batch->errs[i].detail);
    }
    all = all > failed ? all : failed;
    result->tracked += all;
    result->records_deleted += all - failed;
    if (project->params->delete_records_only)
        return;
    missing = missing < all - failed ? missing : all - failed;
    result->failed += failed;
    result->already_missing += missing;
    result->deleted += all - failed - missing;
    result->bytes_freed += state->bytes > failed_bytes ? state->bytes - failed_bytes : 0;
}

static void tell(struct project_run *project)
{
    const struct cleanup_result *result = project->result;
    int64_t left = project->rows - result->tracked;
    run_progress(
        project->run, project->rows > 0 && left > 0 ? result->tracked * 90 / project->rows : 90,
        arena_printf(run_arena(project->run), "%lld of %lld files", (long long)result->tracked,
                     (long long)(left > 0 ? project->rows : result->tracked)));
}

/* 1: a batch is done; 0: there was none; -1. */
static int clean_batch(struct project_run *project, struct arena *arena, struct err *err)
{
    const struct cleanup_state *state = &project->result->state;
    struct batch batch;
    if (read_batch(project, arena, &batch, err))
        return -1;
    if (batch.len == 0 && !state->until)
        return 0;
    if (!state->until && announce(project, &batch, arena, err))
        return -1;
    if ((!project->params->delete_records_only && delete_objects(project, &batch, arena, err)) ||
        forget_rows(project, &batch, arena, err))
        return -1;
    count(project, &batch);
    tell(project);
    /* More rows than were announced came in between: they are the next batch. */
    const char *last = batch.full ? batch.rows[batch.len - 1].object_key : state->until;
    return project_settle(project, last, err) ? -1 : 1;
}

int project_tracked(struct project_run *project, struct err *err)
{
    int more;
    do {
        struct arena arena = {0};
        if (run_stopped(project->run))
            return run_stop_error(project->run, err);
        more = clean_batch(project, &arena, err);
        arena_release(&arena);
    } while (more == 1);
    return more;
}
