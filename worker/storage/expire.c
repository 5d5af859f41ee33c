/* storage.expire: what nobody needs any more, whoever left it. What belongs to a living job is
 * never touched: every step asks the store for the job, and takes for dead what ended, or is
 * unknown, for longer than was asked for. */
#include "worker/storage/expire.h"

#include <stdlib.h>
#include <string.h>

#include "common/audit.h"
#include "common/clock.h"
#include "common/doc_bson.h"
#include "common/id.h"
#include "common/usage.h"
#include "proto/file_path.h"
#include "proto/transition.h"

enum { JOBS_AT_ONCE = 100, DEFAULT_OLDER_S = 86400 };

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static bool is_ulid(const char *text)
{
    const char *why;
    return text && ulid_check(text, &why) == ERR_NONE;
}

static bool is_alive(const struct expiry *expiry, const struct job *job)
{
    return !job_terminal(job) || job->finished_at >= expiry->before;
}

/* Adds those of `ids` that are alive to `alive`. */
static int find_alive(const struct expiry *expiry, const char *const *ids, size_t len,
                      const char **alive, size_t *alive_len, struct arena *arena, struct err *err)
{
    for (size_t from = 0; from < len; from += JOBS_AT_ONCE) {
        size_t some = len - from < JOBS_AT_ONCE ? len - from : JOBS_AT_ONCE, found;
        struct arena page = {0};
        struct job *jobs;
        int failed =
            store_jobs_by_id(run_store(expiry->run), ids + from, some, &page, &jobs, &found, err);
        for (size_t i = 0; !failed && i < found; i++)
            if (is_alive(expiry, &jobs[i]))
                alive[(*alive_len)++] = arena_strdup(arena, jobs[i].id);
        arena_release(&page);
        if (failed)
            return -1;
    }
    return 0;
}

int expire_judge(const struct expiry *expiry, const char *const *jobs, size_t len, bool *dead,
                 struct arena *arena, struct err *err)
{
    const char **ids = arena_alloc_array(arena, len + 1, sizeof *ids);
    const char **alive = arena_alloc_array(arena, len + 1, sizeof *alive);
    size_t asked = 0, distinct = 0, alive_len = 0;
    for (size_t i = 0; i < len; i++)
        if (is_ulid(jobs[i]))
            ids[asked++] = jobs[i];
    if (asked > 0)
        qsort(ids, asked, sizeof *ids, by_text);
    for (size_t i = 0; i < asked; i++)
        if (i == 0 || strcmp(ids[i - 1], ids[i]) != 0)
            alive[distinct++] = ids[i]; /* for a moment: find_alive reads `ids` */
    if (distinct > 0)
        memcpy(ids, alive, distinct * sizeof *ids);
    if (find_alive(expiry, ids, distinct, alive, &alive_len, arena, err))
        return -1;
    if (alive_len > 0)
        qsort(alive, alive_len, sizeof *alive, by_text);
    for (size_t i = 0; i < len; i++)
        dead[i] = alive_len == 0 || !jobs[i] ||
                  !bsearch(&jobs[i], alive, alive_len, sizeof *alive, by_text);
    return 0;
}

static int go_on(void *arg, struct err *err)
{
    struct run *run = arg;
    return run_stopped(run) ? run_stop_error(run, err) : 0;
}

/* How much is left then: today's line of the history. */
static int save_usage(struct expiry *expiry, struct err *err)
{
    struct arena arena = {0};
    struct bucket_usage usage;
    const struct usage_watch watch = {.step = go_on, .arg = expiry->run};
    int result = expiry->dry_run ? 0
                                 : usage_snapshot(run_store(expiry->run), expiry->bucket, &watch,
                                                  &arena, &usage, err);
    arena_release(&arena);
    return result;
}

/* Twice is once: the line has the job's name. */
static int write_audit(struct expiry *expiry, struct err *err)
{
    const struct job *job = run_job(expiry->run);
    char id[ID_ULID_LEN + 1];
    id_child(job->id, "audit", id);
    const struct audit line = {
        .id = id,
        .tenant = job->tenant,
        .by = job->owner,
        .action = "storage.expire",
        .subject = bucket_name(expiry->bucket),
        .job = job->id,
        .counts = doc_bson_pack(&storage_result_doc, expiry->result, run_arena(expiry->run)),
    };
    return expiry->dry_run ? 0 : audit_add(run_store(expiry->run), &line, err);
}

static const struct step {
    int (*run)(struct expiry *expiry, struct err *err);
    const char *text;
} steps[] = {
    {expire_directories, "directories of the workspace"},
    {expire_uploads, "unfinished uploads"},
    {expire_rows, "rows of failed uploads"},
    {expire_jobs, "records of jobs"},
    {save_usage, "how much is stored"},
};
enum { STEPS = sizeof steps / sizeof steps[0] };

int storage_expire(struct run *run, const void *in, void *out, struct err *err)
{
    const struct storage_expire *asked = &((const struct storage_params *)in)->expire;
    struct expiry expiry = {.report = {.run = run, .result = out},
                            .run = run,
                            .result = out,
                            .now = clock_now_ms(),
                            .dry_run = asked->dry_run};
    int64_t older_s = asked->older_than_s > 0 ? asked->older_than_s : DEFAULT_OLDER_S;
    /* Until then a late PUT may come, which the second cleanup is for. */
    if (older_s < run_tombstone_s(run))
        older_s = run_tombstone_s(run);
    expiry.before = expiry.now - older_s * 1000;
    if (run_bucket(run, &expiry.bucket, err) || report_begin(&expiry.report, err))
        return -1;
    expiry.result->dry_run = asked->dry_run;
    for (size_t i = 0; i < STEPS; i++) {
        run_progress(run, (int64_t)(100 * i / STEPS), steps[i].text);
        if (run_stopped(run))
            return run_stop_error(run, err);
        if (steps[i].run(&expiry, err))
            return err_prefix(err, "%s", steps[i].text);
        if (report_save(&expiry.report, NULL, err))
            return -1;
    }
    return write_audit(&expiry, err);
}
