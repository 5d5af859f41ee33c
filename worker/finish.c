/* From "every task has ended" to the terminal state. */
#include "worker/finish.h"

#include <string.h>

#include "common/change.h"
#include "common/clock.h"
#include "common/doc_bson.h"
#include "common/id.h"
#include "common/log.h"
#include "common/projects.h"
#include "common/reconcile.h"
#include "proto/cleanup.h"
#include "proto/file_path.h"
#include "proto/recipe.h"
#include "proto/scene.h"
#include "proto/thumbnail.h"
#include "proto/transcode.h"
#include "proto/upload.h"
#include "worker/batch.h"
#include "worker/workspace.h"

enum { FILES_TRIES = 3 };

static int result_of(const struct job *job, const char *name, void *out, struct arena *arena,
                     struct err *err)
{
    const struct task *task = job_task(job, name);
    if (!task || task->state != TASK_SUCCEEDED)
        return 0;
    return doc_bson_unpack(kinds[task->kind].result, &task->result, arena, out, err);
}

static int scene_of_success(const struct job *job, struct scene *scene, struct arena *arena,
                            struct err *err)
{
    struct upload_result upload = {0};
    struct transcode_result transcode = {0};
    struct thumbnail_result thumbnail = {0};
    if (result_of(job, "upload", &upload, arena, err) ||
        result_of(job, "transcode", &transcode, arena, err) ||
        result_of(job, "thumbnail", &thumbnail, arena, err))
        return -1;
    scene->status = SCENE_COMPLETED;
    scene->storage = upload.storage;
    scene->storage_key = upload.storage_key;
    scene->playlist_key = upload.playlist_key;
    scene->thumbnails = (struct thumbnail_keys){upload.small, upload.medium, upload.large};
    scene->duration_s = transcode.duration_s;
    scene->width = transcode.width ? transcode.width : thumbnail.width;
    scene->height = transcode.height ? transcode.height : thumbnail.height;
    return 0;
}

static void scene_of_failure(const struct job *job, struct scene *scene, struct arena *arena)
{
    struct task_error error = job_error(job);
    scene->status = SCENE_FAILED;
    scene->error_message =
        arena_printf(arena, "%s: %s", error_name(error.code), error.detail ? error.detail : "");
}

/* The gateway died between the job and its scene: the job's parameters say what that would have
 * been. A record that an older job wrote is this job's now, a later job's stays as it is. */
static int make_scene(struct store *store, const struct job *job, struct scene *scene,
                      struct arena *arena, struct err *err)
{
    static const char *const unset[] = {"error_message", NULL};
    const struct store_merge merge = {scene, 1, "job", scene->error_message ? NULL : unset};
    struct err own = {0};
    struct media_store asked;
    if (doc_bson_unpack(&media_store_doc, &job->params, arena, &asked, err))
        return -1;
    scene->id = job->scene;
    scene->tenant = job->tenant;
    scene->project_id = job->project_id;
    scene->scene_id = asked.scene_id;
    scene->user_id = asked.user_id;
    scene->url = asked.url;
    scene->job = job->id;
    scene->metadata = asked.metadata;
    scene->created_at = job->created_at;
    int there = store_insert(store, SCENE_COLLECTION, &scene_doc, scene, err);
    if (there != 1)
        return there;
    scene->created_at = 0; /* it keeps its own */
    if (store_merge_many(store, SCENE_COLLECTION, &scene_doc, &merge, &own, err))
        return -1;
    if (own.code)
        *err = own;
    return own.code ? -1 : 0;
}

/* A deleted project's record is gone for good, also for a job that was not stopped for it. */
static int make_scene_unless_deleted(struct store *store, const struct job *job,
                                     struct scene *scene, struct arena *arena, struct err *err)
{
    struct project project;
    if (job->stop.code == ERR_PROJECT_DELETED)
        return 0;
    if (projects_find(store, job->tenant, job->project_id, arena, &project, err) < 0)
        return -1;
    return project.deleted_at ? 0 : make_scene(store, job, scene, arena, err);
}

/* Conditional on {_id, job}: a later job's scene is not touched. */
static int tell_scene(struct store *store, const struct job *job, struct arena *arena,
                      struct err *err)
{
    static const char *const gone_on_success[] = {"error_message", NULL};
    struct scene scene = {.updated_at = clock_now_ms()};
    struct scene filter = {.id = job->scene, .job = job->id};
    bool success = job_outcome(job) == JOB_SUCCEEDED;
    if (success && scene_of_success(job, &scene, arena, err))
        return -1;
    if (!success)
        scene_of_failure(job, &scene, arena);
    int answer = store_update(store, SCENE_COLLECTION, &scene_doc, &filter, &scene,
                              success ? gone_on_success : NULL, false, err);
    return answer == 1 ? make_scene_unless_deleted(store, job, &scene, arena, err) : answer;
}

static struct job *cleanup_job(const struct runtime *runtime, const struct job *job, bool second,
                               struct arena *arena)
{
    struct job *child = arena_alloc(arena, sizeof *child);
    struct task *tasks = arena_alloc_array(arena, RECIPE_TASKS_MAX, sizeof *tasks);
    const char *(*needs)[RECIPE_NEEDS_MAX] =
        arena_alloc_array(arena, RECIPE_TASKS_MAX, sizeof *needs);
    char prefix[OBJECT_KEY_MAX + 1];
    int64_t now = clock_now_ms();
    if (file_prefix(job->project_id, job->scene, job->id, prefix))
        return NULL;
    struct cleanup_params params = {.job = job->id, .prefix = prefix, .forget = second};
    char id[ID_ULID_LEN + 1];
    id_child(job->id, second ? "cleanup-2" : "cleanup-1",
             id); /* a second finish makes the same child */
    child->id = arena_strdup(arena, id);
    child->tenant = job->tenant;
    child->owner = "finish";
    child->project_id = job->project_id;
    child->parent = job->id;
    child->run_at = second ? now + runtime->config->worker.tombstone_s * 1000 : 0;
    recipe_plan(recipe_find("job.cleanup"), child, tasks, needs);
    tasks[0].params = doc_bson_pack(&cleanup_params_doc, &params, arena);
    child->params = tasks[0].params;
    job_start(child, now);
    return child;
}

/* Only a job whose upload ever ran can have objects. Two passes: at once, and when no late PUT can
 * come any more. */
static int give_to_cleanup(struct runtime *runtime, const struct job *job, struct arena *arena,
                           struct err *err)
{
    const struct task *upload = job_task(job, "upload");
    if (!upload || upload->run == 0 || job_outcome(job) == JOB_SUCCEEDED)
        return 0;
    const struct job *children[] = {cleanup_job(runtime, job, false, arena),
                                    cleanup_job(runtime, job, true, arena)};
    struct err errs[2] = {{0}};
    if (!children[0] || !children[1])
        return 0; /* no prefix, so no object: the upload refused, too */
    if (store_insert_jobs(runtime->store, children, 2, errs, err))
        return -1;
    for (int i = 0; i < 2; i++)
        if (errs[i].code)
            return *err = errs[i], -1;
    return reconcile_publish(runtime->publisher, children[0], clock_now_ms(), err);
}

static bool finish(struct job *draft, void *arg)
{
    (void)arg;
    return job_finish(draft, clock_now_ms());
}

/* With the ends of others, unless somebody changed the job since `job` was read. */
static int end_job(struct runtime *runtime, const struct job *job, struct arena *arena,
                   struct err *err)
{
    struct job *after = change_draft(job, arena);
    if (finish(after, NULL) && batch_swap(runtime->batch, job, after))
        return 0;
    return change_job(runtime->store, job->id, NULL, finish, NULL, arena, &after, err) < 0 ? -1 : 0;
}

/* Files that nobody can remove keep no job from its end: its alarms try a few times. */
static int remove_files(const struct runtime *runtime, const struct job *job, struct arena *arena,
                        struct err *err)
{
    struct err left = {0};
    if (workspace_remove(arena_printf(arena, "%s/%s", runtime->config->fleet.workspace, job->id),
                         &left) == 0)
        return 0;
    if (job->nudges < FILES_TRIES)
        return *err = left, -1;
    log_event(LOG_ERROR, "files-left", "job", job->id, "detail", left.detail, NULL);
    return 0;
}

struct spoilt {
    size_t task;
    struct task_error error;
};

static bool spoil(struct job *draft, void *arg)
{
    const struct spoilt *spoilt = arg;
    return job_spoil(draft, spoilt->task, spoilt->error, clock_now_ms());
}

/* A result that no scene can be made of (another release's, another worker's) must not keep the job
 * from its end: it ends as if the task had failed. */
static int judge_results(struct runtime *runtime, const struct job **job, struct arena *arena,
                         struct err *err)
{
    for (size_t i = 0; i < (*job)->tasks.len; i++) {
        const struct task *task = &(*job)->tasks.at[i];
        struct err unread = {0};
        struct job *after = NULL;
        void *result = arena_alloc(arena, kinds[task->kind].result->size);
        if (result_of(*job, task->name, result, arena, &unread) == 0)
            continue;
        err_prefix(&unread, "its result cannot be read");
        struct spoilt spoilt = {i, {ERR_INTERNAL, arena_strdup(arena, unread.detail)}};
        if (change_job(runtime->store, (*job)->id, *job, spoil, &spoilt, arena, &after, err) < 0)
            return err_prefix(err, "fail its task %s", task->name);
        *job = after;
    }
    return 0;
}

int finish_job(struct runtime *runtime, const struct job *job, struct arena *arena, struct err *err)
{
    if (job->scene && job_outcome(job) == JOB_SUCCEEDED && judge_results(runtime, &job, arena, err))
        return -1;
    if (job->scene && tell_scene(runtime->store, job, arena, err))
        return err_prefix(err, "tell the scene");
    if (give_to_cleanup(runtime, job, arena, err))
        return err_prefix(err, "hand over to cleanup");
    if (remove_files(runtime, job, arena, err))
        return -1;
    if (end_job(runtime, job, arena, err))
        return err_prefix(err, "finish");
    return 0;
}
