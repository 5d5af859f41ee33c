/* A batch's way into the store, step by step; an item that fails takes no further step. */
#include "gateway/commit_batch.h"

#include <string.h>

#include "common/id.h"
#include "common/projects.h"
#include "common/quota.h"
#include "gateway/commit_quota.h"
#include "proto/transition.h"

struct batch {
    struct store *store;
    const struct fleet_settings *settings;
    struct commit_item *items;
    size_t len;
    int64_t now;
    struct arena *arena;
};

static bool is_failed(const struct commit_item *item)
{
    return item->result.err.code != ERR_NONE;
}

static bool is_new(const struct commit_item *item)
{
    return !is_failed(item) && !item->result.existing;
}

static void set_job(struct commit_item *item, const struct job *job)
{
    item->job = job;
    item->result.job_id = job->id;
    item->result.scene = job->scene;
}

/* What a step works on: items by their place in the step's array. */
struct step {
    struct commit_item **items;
    struct err *errs;
    size_t len;
};

static struct step step_of(const struct batch *batch, bool (*takes)(const struct commit_item *))
{
    struct step step = {.items = arena_alloc_array(batch->arena, batch->len, sizeof *step.items),
                        .errs = arena_alloc_array(batch->arena, batch->len, sizeof *step.errs)};
    for (size_t i = 0; i < batch->len; i++)
        if (takes(&batch->items[i]))
            step.items[step.len++] = &batch->items[i];
    return step;
}

static void note_errs(struct step *step)
{
    for (size_t i = 0; i < step->len; i++)
        step->items[i]->result.err = step->errs[i];
}

static void fail_all(struct step *step, const struct err *err)
{
    for (size_t i = 0; i < step->len; i++)
        step->items[i]->result.err = *err;
}

/* The job under an older try's id, and with it a scene that the request did not name. */
static struct job *renamed(const struct job *job, const char *id, struct arena *arena)
{
    char scene[ID_OID_LEN + 1];
    struct job *copy = arena_memdup(arena, job, sizeof *job);
    id_oid(job->id, scene);
    copy->id = id;
    if (job->scene && strcmp(job->scene, scene) == 0) {
        id_oid(id, scene);
        copy->scene = arena_strdup(arena, scene);
    }
    return copy;
}

/* The key was used before: by the same request, which had the id that its record says, or not. -1:
 * the store does not answer. */
static int adopt(const struct batch *batch, struct commit_item *item, struct err *err)
{
    const struct idempotency *asked = item->commit->idempotency;
    const struct idempotency filter = {.id = asked->id};
    struct idempotency found;
    int failed = store_get(batch->store, IDEMPOTENCY_COLLECTION, &idempotency_doc, &filter,
                           batch->arena, &found, err);
    if (failed && err->code != ERR_NOT_FOUND)
        return -1;
    if (failed) {
        err_set(&item->result.err, ERR_OVERLOADED, "the key's record ended just now; try again");
    } else if (strcmp(found.request_hash, asked->request_hash) != 0) {
        err_set(&item->result.err, ERR_IDEMPOTENCY_KEY_REUSE,
                "the Idempotency-Key was used for another request");
    } else if (strcmp(found.job, item->job->id) != 0) { /* else our own record, sent twice */
        item->adopted = true;
        set_job(item, renamed(item->job, found.job, batch->arena));
    }
    return 0;
}

/* Cleanups and the like store nothing: they may go on where nothing else may. */
static bool has_project(const struct commit_item *item)
{
    return item->job->project_id && !item->job->simple;
}

/* What may not be stored is refused before anything is written of it. One round trip for all. */
static int check_projects(const struct batch *batch, struct err *err)
{
    struct step step = step_of(batch, has_project);
    void *found;
    size_t found_len;
    if (step.len == 0)
        return 0;
    const char **ids = arena_alloc_array(batch->arena, step.len, sizeof *ids);
    for (size_t i = 0; i < step.len; i++) {
        char key[PROJECT_KEY_MAX + 1] = "";
        (void)project_key(step.items[i]->job->tenant, step.items[i]->job->project_id, key);
        ids[i] = arena_strdup(batch->arena, key);
    }
    if (store_by_ids(batch->store, PROJECT_COLLECTION, &project_doc, ids, step.len, batch->arena,
                     &found, &found_len, err))
        return -1;
    const struct project *projects = found;
    for (size_t i = 0; i < step.len; i++)
        for (size_t f = 0; f < found_len; f++)
            if (strcmp(ids[i], projects[f].id) == 0) {
                step.items[i]->quota_bytes = quota_of(&projects[f], batch->settings);
                (void)projects_check(&projects[f], &step.items[i]->result.err);
            }
    return 0;
}

static bool has_key(const struct commit_item *item)
{
    return !is_failed(item) && item->commit->idempotency;
}

static int record_keys(const struct batch *batch, struct err *err)
{
    struct step step = step_of(batch, has_key);
    if (step.len == 0)
        return 0;
    struct idempotency *records = arena_alloc_array(batch->arena, step.len, sizeof *records);
    bool *taken = arena_alloc_array(batch->arena, step.len, sizeof *taken);
    for (size_t i = 0; i < step.len; i++) {
        records[i] = *step.items[i]->commit->idempotency;
        records[i].job = step.items[i]->job->id;
        records[i].at = batch->now;
    }
    if (store_insert_many(batch->store, IDEMPOTENCY_COLLECTION, &idempotency_doc, records, step.len,
                          taken, step.errs, err))
        return -1;
    note_errs(&step);
    for (size_t i = 0; i < step.len; i++)
        if (taken[i] && adopt(batch, step.items[i], err))
            return -1;
    return 0;
}

static bool is_adopted(const struct commit_item *item)
{
    return item->adopted && !is_failed(item);
}

static bool wants_ticket(const struct job *job, int64_t now)
{
    for (size_t i = 0; i < job->tasks.len; i++)
        if (job_due(job, i, now))
            return true;
    return false;
}

/* Of the jobs that older tries have recorded, those that got into the store. */
static int find_existing(const struct batch *batch, struct err *err)
{
    struct step step = step_of(batch, is_adopted);
    struct job *found = NULL;
    size_t found_len = 0;
    if (step.len == 0)
        return 0;
    const char **ids = arena_alloc_array(batch->arena, step.len, sizeof *ids);
    for (size_t i = 0; i < step.len; i++)
        ids[i] = step.items[i]->job->id;
    if (store_jobs_by_id(batch->store, ids, step.len, batch->arena, &found, &found_len, err))
        return -1;
    for (size_t i = 0; i < step.len; i++)
        for (size_t f = 0; f < found_len; f++)
            if (strcmp(ids[i], found[f].id) == 0) {
                set_job(step.items[i], &found[f]);
                step.items[i]->result.existing = true;
                step.items[i]->result.queued = !wants_ticket(&found[f], batch->now);
            }
    return 0;
}

static void insert_jobs(const struct batch *batch)
{
    struct err err = {0};
    struct step step = step_of(batch, is_new);
    if (step.len == 0)
        return;
    const struct job **jobs = arena_alloc_array(batch->arena, step.len, sizeof *jobs);
    for (size_t i = 0; i < step.len; i++)
        jobs[i] = step.items[i]->job;
    if (store_insert_jobs(batch->store, jobs, step.len, step.errs, &err))
        fail_all(&step, &err);
    else
        note_errs(&step);
}

static bool has_scene(const struct commit_item *item)
{
    return !is_failed(item) && item->commit->scene;
}

/* Of existing jobs, too: the older try may have ended between its job and its scene. Of two jobs of
 * one record the later one wins; and whoever comes late, because another gateway was asked
 * meanwhile, undoes nothing that the job has told by then. */
static void merge_scenes(const struct batch *batch)
{
    static const char *const unset[] = {"error_message", NULL}; /* of the job before */
    struct err err = {0};
    struct step step = step_of(batch, has_scene);
    if (step.len == 0)
        return;
    struct scene *scenes = arena_alloc_array(batch->arena, step.len, sizeof *scenes);
    for (size_t i = 0; i < step.len; i++) {
        scenes[i] = *step.items[i]->commit->scene;
        scenes[i].id = step.items[i]->job->scene;
        scenes[i].job = step.items[i]->job->id;
    }
    const struct store_merge merge = {scenes, step.len, "job", unset};
    if (store_merge_many(batch->store, SCENE_COLLECTION, &scene_doc, &merge, step.errs, &err))
        fail_all(&step, &err);
    else
        note_errs(&step);
}

void commit_batch_write(struct store *store, const struct fleet_settings *settings,
                        struct commit_item *items, size_t len, int64_t now, struct arena *arena)
{
    const struct batch batch = {store, settings, items, len, now, arena};
    struct err err = {0};
    for (size_t i = 0; i < len; i++) {
        items[i].adopted = false;
        items[i].quota_bytes = settings->quota_project_bytes;
        items[i].result = (struct commit_result){0};
        set_job(&items[i], items[i].commit->job);
    }
    if (check_projects(&batch, &err) || record_keys(&batch, &err) || find_existing(&batch, &err) ||
        commit_quota_check(store, settings, items, len, arena, &err)) {
        /* The store does not answer: no use in waiting for it once more. */
        for (size_t i = 0; i < len; i++)
            items[i].result.err = err;
        return;
    }
    insert_jobs(&batch);
    merge_scenes(&batch);
}
