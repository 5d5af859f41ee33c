/* Everything here may be done again: by a repeated request, by a cleanup that was killed. */
#include "common/projects.h"

#include <string.h>

#include "common/change.h"
#include "common/clock.h"
#include "common/doc_bson.h"
#include "common/reconcile.h"
#include "proto/recipe.h"
#include "proto/scene.h"

enum { JOBS_PAGE = 100, SCENES_PAGE = 500 };

static bool is_over(const struct projects_step *step)
{
    return (step->until_ms && clock_mono_ms() >= step->until_ms) ||
           (step->stopped && step->stopped(step->arg));
}

/* --- jobs --- */

static bool stop_one(struct job *draft, void *arg)
{
    const struct projects_step *step = arg;
    return job_stop(draft, ERR_PROJECT_DELETED, step->by, clock_now_ms());
}

/* Cleanups are what remains to be done. */
static bool is_cleanup(const struct job *job)
{
    return job->simple && job->tasks.len > 0 && job->tasks.at[0].kind == KIND_CLEANUP;
}

/* Somebody changed it meanwhile: read again. 1: stopped; 0: nothing to stop any more. */
static int stop_again(const struct projects_step *step, const char *id, struct arena *arena,
                      struct job **after, struct err *err)
{
    struct projects_step who = *step;
    int answer = change_job(step->store, id, NULL, stop_one, &who, arena, after, err);
    if (answer < 0 && err->code == ERR_JOB_NOT_FOUND) {
        *err = (struct err){0};
        return 0;
    }
    return answer < 0 ? -1 : answer == 0;
}

/* If the ticket is lost the alarm comes. */
static void finish_soon(const struct projects_step *step, const struct job *job)
{
    struct err lost = {0};
    if (step->publisher && job_finishing(job))
        (void)reconcile_publish(step->publisher, job, clock_now_ms(), &lost);
}

static int stop_page(const struct projects_step *step, struct job *jobs, size_t len,
                     struct arena *arena, int64_t *count, struct err *err)
{
    struct store_swap *swaps = arena_alloc_array(arena, len + 1, sizeof *swaps);
    struct projects_step who = *step;
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        struct job *draft = change_draft(&jobs[i], arena);
        if (!is_cleanup(draft) && stop_one(draft, &who))
            swaps[n++] = (struct store_swap){.before = &jobs[i], .after = draft};
    }
    if (n > 0 && store_swap(step->store, swaps, n, err))
        return -1;
    for (size_t i = 0; i < n; i++) {
        struct job *after = NULL;
        int stopped =
            swaps[i].saved ? 1 : stop_again(step, swaps[i].before->id, arena, &after, err);
        if (stopped < 0)
            return -1;
        *count += stopped;
        if (stopped)
            finish_soon(step, swaps[i].saved ? swaps[i].after : after);
    }
    return 0;
}

static int stop_state(const struct projects_step *step, enum job_state state, int64_t *count,
                      struct err *err)
{
    char before[64] = "";
    size_t len;
    do {
        struct arena arena = {0};
        struct job_query query = {.tenant = step->tenant,
                                  .project_id = step->project,
                                  .state = state,
                                  .before_id = *before ? before : NULL,
                                  .limit = JOBS_PAGE};
        struct job *jobs;
        if (is_over(step))
            return 0;
        int failed = store_list_jobs(step->store, &query, &arena, &jobs, &len, err);
        if (!failed && len > 0) {
            memccpy(before, jobs[len - 1].id, '\0', sizeof before - 1);
            failed = stop_page(step, jobs, len, &arena, count, err);
        }
        arena_release(&arena);
        if (failed)
            return -1;
    } while (len == JOBS_PAGE);
    return 1;
}

int projects_stop_jobs(const struct projects_step *step, int64_t *count, struct err *err)
{
    int over = stop_state(step, JOB_RUNNING, count, err);
    return over == 1 ? stop_state(step, JOB_QUEUED, count, err) : over;
}

/* --- scenes --- */

static int remove_page(const struct projects_step *step, struct arena *arena, size_t *len,
                       struct err *err)
{
    const struct scene filter = {.tenant = step->tenant, .project_id = step->project};
    const struct store_page page = {.filter = &filter, .limit = SCENES_PAGE};
    void *found;
    if (store_find(step->store, SCENE_COLLECTION, &scene_doc, &page, arena, &found, len, err))
        return -1;
    const struct scene *scenes = found;
    const char **ids = arena_alloc_array(arena, *len + 1, sizeof *ids);
    for (size_t i = 0; i < *len; i++)
        ids[i] = scenes[i].id;
    return *len ? store_delete_many(step->store, SCENE_COLLECTION, &scene_doc, ids, *len, err) : 0;
}

int projects_remove_scenes(const struct projects_step *step, int64_t *count, struct err *err)
{
    size_t len;
    do {
        struct arena arena = {0};
        if (is_over(step))
            return 0;
        int failed = remove_page(step, &arena, &len, err);
        arena_release(&arena);
        if (failed)
            return -1;
        *count += (int64_t)len;
    } while (len == SCENES_PAGE);
    return 1;
}

/* --- the cleanup's job --- */

struct job *projects_cleanup_job(const struct projects_step *step, const char *id, int64_t run_at,
                                 const struct cleanup_params *params, struct arena *arena)
{
    struct job *job = arena_alloc(arena, sizeof *job);
    struct task *tasks = arena_alloc_array(arena, RECIPE_TASKS_MAX, sizeof *tasks);
    const char *(*needs)[RECIPE_NEEDS_MAX] =
        arena_alloc_array(arena, RECIPE_TASKS_MAX, sizeof *needs);
    *job = (struct job){.id = arena_strdup(arena, id),
                        .tenant = step->tenant,
                        .owner = step->by,
                        .project_id = step->project,
                        .run_at = run_at};
    recipe_plan(recipe_find("project.cleanup"), job, tasks, needs);
    tasks[0].params = doc_bson_pack(&cleanup_params_doc, params, arena);
    job->params = tasks[0].params;
    job_start(job, clock_now_ms());
    return job;
}

int projects_insert_job(struct store *store, const struct job *job, struct err *err)
{
    struct err own = {0};
    if (store_insert_jobs(store, &job, 1, &own, err))
        return -1;
    if (own.code)
        return *err = own, -1;
    return 0;
}
