/* A project's cleanup, from its jobs to its last object. Whatever kills it, the next run goes on
 * where the last checkpoint was; whatever was killed before it, it does again. */
#include "worker/cleanup/project.h"

#include <string.h>

#include "common/bucket_admin.h"
#include "common/clock.h"
#include "common/doc_bson.h"
#include "common/id.h"
#include "common/projects.h"
#include "worker/cleanup/cleanup.h"

void project_note(struct project_run *project, const char *key, enum error code, const char *detail)
{
    struct cleanup_errors *errors = &project->result->errors;
    struct arena *arena = run_arena(project->run);
    if (errors->len < CLEANUP_ERRORS_MAX)
        errors->at[errors->len++] =
            (struct cleanup_error){arena_strdup(arena, key), code, arena_strdup(arena, detail)};
}

static const char *keep(char out[OBJECT_KEY_MAX + 1], const char *key)
{
    if (!key)
        return NULL;
    size_t len = strnlen(key, OBJECT_KEY_MAX);
    memmove(out, key, len);
    out[len] = '\0';
    return out;
}

int project_announce(struct project_run *project, const char *until, int64_t count, int64_t missing,
                     int64_t bytes, struct err *err)
{
    struct cleanup_state *state = &project->result->state;
    state->until = keep(project->until, until);
    state->count = count;
    state->missing = missing;
    state->bytes = bytes;
    return run_checkpoint(project->run, project->result, err);
}

int project_settle(struct project_run *project, const char *after, struct err *err)
{
    struct cleanup_state *state = &project->result->state;
    state->after = keep(project->after, after);
    state->until = NULL;
    state->count = state->missing = state->bytes = 0;
    return run_checkpoint(project->run, project->result, err);
}

/* One answer for all of them is the bucket's, not the keys'. */
static bool is_same_for_all(const struct err *errs, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (errs[i].code != errs[0].code || strcmp(errs[i].detail, errs[0].detail) != 0)
            return false;
    return len > 1 && errs[0].code != ERR_NONE;
}

int project_delete(struct project_run *project, const char *const *keys, size_t len,
                   struct err *errs, struct err *err)
{
    struct err first = {0};
    if (run_stopped(project->run))
        return run_stop_error(project->run, err);
    if (len == 0 || bucket_delete(project->bucket, keys, len, errs, &first) == 0)
        return 0;
    if (run_stopped(project->run))
        return run_stop_error(project->run, err);
    if (is_same_for_all(errs, len) || (len == 1 && error_class(errs[0].code) == CLASS_RELEASED))
        return *err = first, -1;
    return 0;
}

/* --- what stands before the objects --- */

static bool is_stopped(void *arg)
{
    return run_stopped(arg);
}

static struct projects_step step_of(struct project_run *project)
{
    const struct job *job = run_job(project->run);
    return (struct projects_step){.store = run_store(project->run),
                                  .publisher = run_publisher(project->run),
                                  .tenant = job->tenant,
                                  .project = project->params->project_id,
                                  .by = job->owner,
                                  .stopped = is_stopped,
                                  .arg = project->run};
}

static int stop_project(struct project_run *project, struct err *err)
{
    const struct projects_step step = step_of(project);
    if (!project->params->gone)
        return 0;
    int over = projects_stop_jobs(&step, &project->result->jobs_stopped, err);
    if (over == 1)
        over = projects_remove_scenes(&step, &project->result->scenes_removed, err);
    return over == 0 ? run_stop_error(project->run, err) : over < 0 ? -1 : 0;
}

/* Uploads that were begun and are nobody's any more cost money. */
static int abort_uploads(struct project_run *project, struct err *err)
{
    char prefix[OBJECT_KEY_MAX + 1];
    for (int i = 0; i < PATTERN_OLD_FLAT; i++) {
        int whole = discover_is_whole(project->discover, (enum project_pattern)i, err);
        project_pattern(project->params->project_id, (enum project_pattern)i, prefix);
        if (whole < 0 || (whole && bucket_abort_uploads(project->bucket, prefix, NULL, err)))
            return -1;
    }
    return 0;
}

/* Rows of another backend: what lies there cannot be deleted here, and must not be forgotten. */
static int count_rows(struct project_run *project, bool tell, struct err *err)
{
    struct run *run = project->run;
    const struct file_path filter = {.tenant = run_job(run)->tenant,
                                     .project_id = project->params->project_id};
    struct store_sum *sums;
    size_t len;
    if (store_sum(run_store(run), FILE_PATH_COLLECTION, &file_path_doc, &filter, "backend",
                  "size_bytes", 16, run_arena(run), &sums, &len, err))
        return -1;
    project->rows = 0;
    for (size_t i = 0; i < len; i++) {
        project->rows += sums[i].count;
        if (!tell || (sums[i].key && strcmp(sums[i].key, bucket_backend(project->bucket)) == 0))
            continue;
        project->result->tracked += sums[i].count;
        project->result->failed += sums[i].count;
        project_note(project, NULL, ERR_CONFIG,
                     arena_printf(run_arena(run), "%lld objects lie in the backend %s",
                                  (long long)sums[i].count, sums[i].key ? sums[i].key : "?"));
    }
    return 0;
}

/* --- the whole --- */

static const char *fallback_reason(const struct project_run *project)
{
    const struct cleanup_result *result = project->result;
    if (result->tracked == 0)
        return "nothing was tracked";
    return result->failed ? "tracked objects could not be deleted" : NULL;
}

static int look_by_pattern(struct project_run *project, struct err *err)
{
    struct cleanup_result *result = project->result;
    if (result->state.phase == CLEANUP_TRACKED) {
        result->fallback_reason = fallback_reason(project);
        result->used_fallback = result->fallback_reason != NULL;
        result->state = (struct cleanup_state){.phase = CLEANUP_PATTERN};
    }
    return result->used_fallback ? project_pattern_run(project, err) : 0;
}

static int delete_all(struct project_run *project, struct err *err)
{
    struct cleanup_result *result = project->result;
    bool objects = !project->params->delete_records_only;
    if (objects && abort_uploads(project, err))
        return err_prefix(err, "abort open uploads");
    if (count_rows(project, false, err))
        return -1;
    if (result->state.phase == CLEANUP_BEGUN)
        result->state.phase = CLEANUP_TRACKED;
    if (result->state.phase == CLEANUP_TRACKED) {
        if (project_tracked(project, err) || (objects && count_rows(project, true, err)))
            return -1;
    }
    return objects ? look_by_pattern(project, err) : 0;
}

/* For all that may be told. */
static void make_room(struct cleanup_errors *errors, struct arena *arena)
{
    struct cleanup_error *at = arena_alloc_array(arena, CLEANUP_ERRORS_MAX, sizeof *at);
    if (errors->len > CLEANUP_ERRORS_MAX)
        errors->len = CLEANUP_ERRORS_MAX;
    if (errors->len)
        memcpy(at, errors->at, errors->len * sizeof *at);
    errors->at = at;
}

/* What the run before has saved. One that came to its end with failures tries those again. */
static int resume(struct project_run *project, struct err *err)
{
    const struct task *task = run_task(project->run);
    struct cleanup_result *result = project->result;
    if (!task->result.len)
        return 0;
    if (doc_bson_unpack(&cleanup_result_doc, &task->result, run_arena(project->run), result, err))
        return err_prefix(err, "the last run's result");
    if (result->state.phase == CLEANUP_DONE) {
        result->tracked -= result->failed;
        result->failed = result->discovered_failed = result->unclear = 0;
        result->used_fallback = false;
        result->fallback_reason = NULL;
        result->errors = (struct cleanup_errors){0};
        result->state = (struct cleanup_state){0};
    }
    result->state.after = keep(project->after, result->state.after);
    result->state.until = keep(project->until, result->state.until);
    return 0;
}

/* When no late PUT can come any more everything is looked at once more. */
static int plan_again(struct project_run *project, struct err *err)
{
    const struct projects_step step = step_of(project);
    char id[ID_ULID_LEN + 1];
    const struct task *task = run_task(project->run);
    bool clean = project->result->failed + project->result->discovered_failed == 0;
    if (!project->params->gone || project->params->again ||
        (!clean && task->failures + 1 < task->max_attempts)) /* another run will do it */
        return 0;
    const struct cleanup_params params = {
        .project_id = project->params->project_id, .gone = true, .again = true};
    id_child(run_job(project->run)->id, "again", id);
    return projects_insert_job(step.store,
                               projects_cleanup_job(&step, id,
                                                    clock_now_ms() + run_tombstone_ms(project->run),
                                                    &params, run_arena(project->run)),
                               err);
}

/* The result stays with the task however it ends. */
static int conclude(struct project_run *project, struct err *err)
{
    struct cleanup_result *result = project->result;
    const struct task *task = run_task(project->run);
    result->duration_ms = clock_now_ms() - task->started_at;
    if (plan_again(project, err))
        return err_prefix(err, "plan the second pass");
    if (cleanup_audit(project->run, "project.cleanup", project->params->project_id, result, err))
        return -1;
    result->state = (struct cleanup_state){0};
    if (result->failed + result->discovered_failed == 0)
        return 0;
    result->state.phase = CLEANUP_DONE;
    if (run_checkpoint(project->run, result, err))
        return -1;
    const struct cleanup_error *first = &result->errors.at[0];
    for (size_t i = 0; first->code == ERR_OWNER_UNCLEAR && i < result->errors.len; i++)
        first = &result->errors.at[i];
    return err_set(err, first->code == ERR_OWNER_UNCLEAR ? ERR_STORAGE_UNAVAILABLE : first->code,
                   "%lld objects could not be deleted, the first: %.300s",
                   (long long)(result->failed + result->discovered_failed), first->detail);
}

int project_cleanup(struct run *run, const void *in, void *out, struct err *err)
{
    /* The result points into it, also when the run fails. */
    struct project_run *project = arena_alloc(run_arena(run), sizeof *project);
    const char *why;
    *project = (struct project_run){.run = run, .params = in, .result = out};
    if (ident_check(project->params->project_id, &why) != ERR_NONE)
        return err_set(err, ERR_INVALID_FORMAT, "the project's id %s", why);
    if (resume(project, err))
        return -1;
    make_room(&project->result->errors, run_arena(run));
    if (stop_project(project, err))
        return -1;
    if (run_bucket(run, &project->bucket, err) ||
        discover_open(&project->discover, run_store(run), project->bucket, run_job(run)->tenant,
                      project->params->project_id, err))
        return -1;
    int failed = delete_all(project, err);
    discover_free(project->discover);
    return failed ? -1 : conclude(project, err);
}
