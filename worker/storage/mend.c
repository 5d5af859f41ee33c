/* Adopting, deleting, forgetting: each a batch at once. */
#include "worker/storage/mend.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "proto/project.h"

enum { DAY_S = 86400 };

static void count_failure(struct mend *mend, const struct finding *finding)
{
    const struct storage_item item = {.key = finding->key, .size_bytes = finding->size_bytes};
    mend->report->result->failed++;
    report_item(mend->report, &mend->report->result->failed_list, &item);
}

/* --- adopt --- */

/* Whether the ledger has a row of the project with that tenant (NULL: with any). 1, 0 or -1. */
static int has_row(struct mend *mend, const char *prefix, const char *tenant, struct arena *arena,
                   struct err *err)
{
    const struct file_path filter = {.backend = bucket_backend(mend->bucket), .tenant = tenant};
    const struct store_page page = {
        .filter = &filter, .limit = 1, .order = "object_key", .prefix = prefix};
    void *rows;
    size_t len;
    if (store_find(run_store(mend->report->run), FILE_PATH_COLLECTION, &file_path_doc, &page, arena,
                   &rows, &len, err))
        return -1;
    return len > 0;
}

/* A deleted project gets no rows any more. 1: it was deleted, 0, -1. */
static int is_deleted(struct mend *mend, const char *tenant, const char *name, struct arena *arena,
                      struct err *err)
{
    char key[PROJECT_KEY_MAX + 1];
    struct project found, filter = {.id = key};
    if (project_key(tenant, name, key))
        return 1;
    if (store_get(run_store(mend->report->run), PROJECT_COLLECTION, &project_doc, &filter, arena,
                  &found, err) == 0)
        return found.deleted_at != 0;
    if (err->code != ERR_NOT_FOUND)
        return -1;
    *err = (struct err){0};
    return 0;
}

/* Keys do not tell the tenant: the project becomes that of who asked, unless it is known as
 * somebody else's, and only theirs. 1, 0 or -1. */
static int look_at_project(struct mend *mend, const char *project, struct arena *arena,
                           struct err *err)
{
    const char *tenant = run_job(mend->report->run)->tenant;
    const char *prefix = arena_printf(arena, "projects/%s/", project);
    int deleted = is_deleted(mend, tenant, project, arena, err);
    if (deleted)
        return deleted < 0 ? -1 : 0;
    int ours = has_row(mend, prefix, tenant, arena, err);
    if (ours)
        return ours;
    int anybodys = has_row(mend, prefix, NULL, arena, err);
    return anybodys < 0 ? -1 : !anybodys;
}

static int may_adopt(struct mend *mend, const char *project, struct arena *arena, struct err *err)
{
    if (strcmp(mend->project, project) != 0) {
        int adoptable = look_at_project(mend, project, arena, err);
        if (adoptable < 0)
            return -1;
        strcpy(mend->project, project);
        mend->adoptable = adoptable;
    }
    return mend->adoptable;
}

/* A source's as its extension tells it, whatever the file was called. */
static const char *content_type(const char *key, enum file_type type)
{
    char name[32];
    const char *dot = strrchr(key, '.');
    if (type != FILE_SOURCE)
        return file_kind(key)->content_type;
    snprintf(name, sizeof name, "source%s", dot && strlen(dot) < 16 ? dot : "");
    return file_kind(name)->content_type;
}

static struct file_path row_of(struct mend *mend, const struct finding *orphan,
                               const struct key_owner *owner, struct arena *arena)
{
    const char *backend = bucket_backend(mend->bucket);
    int64_t now = clock_now_ms();
    return (struct file_path){
        .id = orphan->row_id,
        .project_id = arena_strdup(arena, owner->project),
        .object_key = orphan->key,
        .scene_id = arena_strdup(arena, owner->scene),
        .file_type = owner->type,
        .size_bytes = orphan->size_bytes,
        .content_type = content_type(orphan->key, owner->type),
        .created_at = orphan->modified_at ? orphan->modified_at : now,
        .updated_at = now,
        .tenant = run_job(mend->report->run)->tenant,
        .job = owner->job[0] ? arena_strdup(arena, owner->job) : NULL,
        .backend = backend,
        .bucket = bucket_name(mend->bucket),
        .etag = orphan->etag,
        .state = FILE_STORED,
    };
}

/* A row that somebody else has written meanwhile makes it no orphan. */
static int insert(struct mend *mend, struct finding *const *orphans, const struct file_path *rows,
                  size_t len, struct err *err)
{
    bool taken[FINDINGS_MAX] = {false};
    struct err errs[FINDINGS_MAX] = {{0}};
    if (len == 0)
        return 0;
    if (!mend->asked->dry_run &&
        store_insert_many(run_store(mend->report->run), FILE_PATH_COLLECTION, &file_path_doc, rows,
                          len, taken, errs, err))
        return -1;
    for (size_t i = 0; i < len; i++) {
        orphans[i]->done = true;
        if (errs[i].code)
            count_failure(mend, orphans[i]);
        else if (taken[i])
            orphans[i]->sort = FINDING_NONE;
        else
            mend->report->result->adopted++;
    }
    return 0;
}

static int adopt(struct mend *mend, struct findings *findings, struct err *err)
{
    struct finding *orphans[FINDINGS_MAX];
    struct arena *arena = &findings->arena;
    struct file_path *rows = arena_alloc_array(arena, FINDINGS_MAX, sizeof *rows);
    size_t len = 0;
    for (size_t i = 0; i < findings->len; i++) {
        struct finding *finding = &findings->at[i];
        struct key_owner owner;
        if (finding->sort != FINDING_ORPHAN || !object_key_valid(finding->key))
            continue;
        key_owner_read(finding->key, &owner);
        if (!owner.project[0] || !owner.scene[0])
            continue;
        int may = may_adopt(mend, owner.project, arena, err);
        if (may < 0)
            return -1;
        if (!may)
            continue;
        rows[len] = row_of(mend, finding, &owner, arena);
        orphans[len++] = finding;
    }
    return insert(mend, orphans, rows, len, err);
}

/* --- delete, forget --- */

static const char *span_of(struct finding *const *some, size_t len, struct arena *arena)
{
    if (len == 1)
        return some[0]->key;
    return arena_printf(arena, "%s … %s", some[0]->key, some[len - 1]->key);
}

/* The line is written before: what it tells of may have been done. */
static int tell(struct mend *mend, const char *action, struct finding *const *some, size_t len,
                struct arena *arena, struct err *err)
{
    struct storage_result counts = {.failed = 0};
    for (size_t i = 0; i < len; i++) {
        bool orphan = some[i]->sort == FINDING_ORPHAN;
        counts.orphans += orphan;
        counts.ghosts += !orphan;
        counts.orphan_bytes += orphan ? some[i]->size_bytes : 0;
    }
    return report_audit(mend->report, action, span_of(some, len, arena), &counts, err);
}

static bool is_old(const struct mend *mend, const struct finding *orphan)
{
    int64_t age_s = mend->asked->older_than_s ? mend->asked->older_than_s : DAY_S;
    return orphan->modified_at > 0 && orphan->modified_at < clock_now_ms() - age_s * 1000;
}

static int delete_objects(struct mend *mend, struct finding *const *orphans, size_t len,
                          struct arena *arena, struct err *err)
{
    const char *keys[FINDINGS_MAX];
    struct err errs[FINDINGS_MAX] = {{0}}, first = {0};
    for (size_t i = 0; i < len; i++)
        keys[i] = orphans[i]->key;
    if (!mend->asked->dry_run) {
        if (tell(mend, "storage.delete-orphans", orphans, len, arena, err))
            return -1;
        bool failed = bucket_delete(mend->bucket, keys, len, errs, &first);
        for (size_t i = 0; i < len; i++)
            failed = failed && errs[i].code == ERR_NONE;
        if (failed) /* the call as a whole, not some of its objects */
            return *err = first, -1;
    }
    for (size_t i = 0; i < len; i++) {
        if (errs[i].code)
            count_failure(mend, orphans[i]);
        else
            mend->report->result->deleted++;
    }
    return 0;
}

static int delete_orphans(struct mend *mend, struct findings *findings, struct err *err)
{
    struct finding *old[FINDINGS_MAX];
    size_t len = 0;
    for (size_t i = 0; i < findings->len; i++) {
        struct finding *finding = &findings->at[i];
        if (finding->sort == FINDING_ORPHAN && !finding->done && is_old(mend, finding) &&
            object_key_valid(finding->key))
            old[len++] = finding;
    }
    return len == 0 ? 0 : delete_objects(mend, old, len, &findings->arena, err);
}

/* 1: surely gone; 0: it is there after all, or cannot be asked for; -1. */
static int is_gone(struct mend *mend, const struct finding *ghost, struct arena *arena,
                   struct err *err)
{
    struct object object;
    if (!object_key_valid(ghost->key))
        return 0;
    if (bucket_head(mend->bucket, ghost->key, arena, &object, err) == 0)
        return 0;
    if (err->code != ERR_OBJECT_NOT_FOUND)
        return -1;
    *err = (struct err){0};
    return 1;
}

static int forget_ghosts(struct mend *mend, struct findings *findings, struct err *err)
{
    struct finding *gone[FINDINGS_MAX];
    const char *ids[FINDINGS_MAX];
    size_t len = 0;
    for (size_t i = 0; i < findings->len; i++) {
        struct finding *finding = &findings->at[i];
        if (finding->sort != FINDING_GHOST)
            continue;
        int surely = is_gone(mend, finding, &findings->arena, err);
        if (surely < 0)
            return -1;
        ids[len] = finding->row_id;
        gone[len] = finding;
        len += surely == 1;
    }
    mend->report->result->forgotten += (int64_t)len;
    if (len == 0 || mend->asked->dry_run)
        return 0;
    if (tell(mend, "storage.forget-ghosts", gone, len, &findings->arena, err))
        return -1;
    return store_delete_many(run_store(mend->report->run), FILE_PATH_COLLECTION, &file_path_doc,
                             ids, len, err);
}

int mend_all(struct mend *mend, struct findings *findings, struct err *err)
{
    if (mend->asked->adopt && adopt(mend, findings, err))
        return -1;
    if (mend->asked->delete_orphans && delete_orphans(mend, findings, err))
        return -1;
    return mend->asked->forget_ghosts ? forget_ghosts(mend, findings, err) : 0;
}
