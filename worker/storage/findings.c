/* From "one side has it, the other has not" to what is really so. */
#include "worker/storage/findings.h"

#include <string.h>

#include "common/clock.h"
#include "common/file_id.h"
#include "proto/key_owner.h"
#include "proto/transition.h"

/* How far apart the clocks of whoever writes rows may be; how long a tombstone may stand. */
enum { SKEW_MS = 60000, TOMBSTONE_MS = 86400000 };

static void name_job(struct finding *finding, const char *job)
{
    size_t len = job ? strlen(job) : 0;
    if (len < sizeof finding->job)
        memcpy(finding->job, job ? job : "", len + 1);
}

void findings_add(struct findings *findings, const struct scan_pair *pair, int64_t listed_at)
{
    const struct object *object = pair->object;
    const struct file_path *row = pair->row;
    struct key_owner owner;
    struct finding finding = {.sort = !row ? FINDING_ORPHAN : FINDING_GHOST,
                              .listed_at = listed_at};
    if (object && row) {
        if (row->state != FILE_STORED || row->size_bytes == object->size_bytes)
            return;
        finding.sort = FINDING_MISMATCH;
    }
    finding.key = arena_strdup(&findings->arena, pair->key);
    if (object) {
        finding.size_bytes = object->size_bytes;
        finding.modified_at = object->modified_at;
        finding.etag = arena_strdup(&findings->arena, object->etag);
    }
    if (row) {
        finding.row_id = arena_strdup(&findings->arena, row->id);
        finding.row_bytes = row->size_bytes;
        finding.state = row->state;
        finding.updated_at = row->updated_at;
        name_job(&finding, row->job);
    } else {
        key_owner_read(pair->key, &owner);
        name_job(&finding, owner.job);
    }
    findings->at[findings->len++] = finding;
}

static void is_nothing(struct findings *findings, struct finding *finding)
{
    finding->sort = FINDING_NONE;
    findings->living++;
}

/* Neighbours are of the same job. */
static size_t jobs_of(const struct findings *findings, const char *ids[FINDINGS_MAX])
{
    size_t len = 0;
    for (size_t i = 0; i < findings->len; i++) {
        const char *job = findings->at[i].job;
        if (*job && (len == 0 || strcmp(ids[len - 1], job) != 0))
            ids[len++] = job;
    }
    return len;
}

static int drop_living(struct findings *findings, struct store *store, struct err *err)
{
    const char *ids[FINDINGS_MAX];
    struct job *jobs;
    size_t len, asked = jobs_of(findings, ids);
    if (asked == 0)
        return 0;
    if (store_jobs_by_id(store, ids, asked, &findings->arena, &jobs, &len, err))
        return -1;
    for (size_t i = 0; i < findings->len; i++)
        for (size_t n = 0; n < len && findings->at[i].sort; n++)
            if (!job_terminal(&jobs[n]) && strcmp(jobs[n].id, findings->at[i].job) == 0)
                is_nothing(findings, &findings->at[i]);
    return 0;
}

/* Rows that were written after the ledger's page was read. */
static int drop_tracked(struct findings *findings, struct store *store, const char *backend,
                        struct err *err)
{
    const char *ids[FINDINGS_MAX];
    size_t asked = 0, there;
    void *found;
    for (size_t i = 0; i < findings->len; i++) {
        struct finding *finding = &findings->at[i];
        if (finding->sort != FINDING_ORPHAN)
            continue;
        finding->row_id = file_id(backend, finding->key, &findings->arena);
        ids[asked++] = finding->row_id;
    }
    if (asked == 0)
        return 0;
    if (store_by_ids(store, FILE_PATH_COLLECTION, &file_path_doc, ids, asked, &findings->arena,
                     &found, &there, err))
        return -1;
    const struct file_path *rows = found;
    for (size_t i = 0; i < findings->len; i++)
        for (size_t n = 0; n < there && findings->at[i].sort == FINDING_ORPHAN; n++)
            if (strcmp(rows[n].id, findings->at[i].row_id) == 0)
                is_nothing(findings, &findings->at[i]);
    return 0;
}

/* 1: it is there, 0: it is not, -1. */
static int is_there(struct findings *findings, struct bucket *bucket, const char *key,
                    struct err *err)
{
    struct object object;
    if (bucket_head(bucket, key, &findings->arena, &object, err) == 0)
        return 1;
    if (err->code != ERR_OBJECT_NOT_FOUND)
        return -1;
    *err = (struct err){0};
    return 0;
}

/* A row that was written after the listing's page was read tells of an object that the page could
 * not show; one that is being deleted has lost its object on purpose. */
static int judge_ghost(struct findings *findings, struct finding *ghost, struct bucket *bucket,
                       struct err *err)
{
    bool young = ghost->updated_at > ghost->listed_at - SKEW_MS;
    if (ghost->state == FILE_DELETING && ghost->updated_at > clock_now_ms() - TOMBSTONE_MS)
        is_nothing(findings, ghost);
    if (!ghost->sort || !young || !object_key_valid(ghost->key))
        return 0;
    int there = is_there(findings, bucket, ghost->key, err);
    if (there == 1)
        is_nothing(findings, ghost);
    return there < 0 ? -1 : 0;
}

int findings_judge(struct findings *findings, struct run *run, struct bucket *bucket,
                   struct err *err)
{
    if (drop_living(findings, run_store(run), err) ||
        drop_tracked(findings, run_store(run), bucket_backend(bucket), err))
        return -1;
    for (size_t i = 0; i < findings->len; i++) {
        if (findings->at[i].sort != FINDING_GHOST)
            continue;
        if (run_stopped(run))
            return run_stop_error(run, err);
        if (judge_ghost(findings, &findings->at[i], bucket, err))
            return -1;
    }
    return 0;
}

void findings_reset(struct findings *findings)
{
    arena_reset(&findings->arena);
    findings->len = 0;
    findings->living = 0;
}
