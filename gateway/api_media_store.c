/* POST /api/v1/media/store, and the repetition of such a job. */
#include <string.h>

#include "common/clock.h"
#include "common/doc_bson.h"
#include "common/http.h"
#include "common/id.h"
#include "gateway/handlers.h"
#include "gateway/submit.h"
#include "proto/download.h"
#include "proto/file_path.h"
#include "proto/recipe.h"
#include "proto/transition.h"

/* A record that exists keeps the time when it was made. */
static int check_scene(struct api *api, struct request *request, const struct media_store *store,
                       int64_t *created_at, struct err *err)
{
    struct scene filter = {.id = store->mongo_db_id, .tenant = request->who.tenant}, found;
    if (store_get(api->services->store, SCENE_COLLECTION, &scene_doc, &filter, &request->arena,
                  &found, err)) {
        if (err->code == ERR_NOT_FOUND)
            return err_set(err, ERR_SCENE_NOT_FOUND, "there is no record %s", store->mongo_db_id);
        return -1;
    }
    if (strcmp(found.project_id, store->project_id) != 0)
        return err_set(err, ERR_SCENE_CONFLICT, "the record belongs to another project");
    *created_at = found.created_at;
    return 0;
}

static void fill_scene(const struct media_store *store, const struct job *job, int64_t created_at,
                       struct scene *scene)
{
    int64_t now = clock_now_ms();
    *scene = (struct scene){
        .id = job->scene,
        .tenant = job->tenant,
        .project_id = store->project_id,
        .scene_id = store->scene_id,
        .user_id = store->user_id,
        .url = store->url,
        .job = job->id,
        .status = SCENE_PROCESSING,
        .metadata = store->metadata,
        .created_at = created_at ? created_at : now,
        .updated_at = now,
    };
}

/* The record's id: as it was named, or one that goes with the job's. */
static const char *scene_of(const struct media_store *store, const struct job *job,
                            struct arena *arena)
{
    char oid[ID_OID_LEN + 1];
    if (store->mongo_db_id)
        return store->mongo_db_id;
    id_oid(job->id, oid);
    return arena_strdup(arena, oid);
}

static int plan(struct request *request, const struct media_store *store, int64_t created_at,
                struct job *job, struct scene *scene, struct err *err)
{
    struct raw params = doc_bson_pack(&media_store_doc, store, &request->arena);
    const struct download_params download = {.url = store->url};
    const struct transcode_params transcode = {.renditions = store->renditions};
    if (submit_recipe(request, job, "media.store", &params, err))
        return -1;
    job_task(job, "download")->params =
        doc_bson_pack(&download_params_doc, &download, &request->arena);
    if (store->renditions != RENDITIONS_UNSET)
        job_task(job, "transcode")->params =
            doc_bson_pack(&transcode_params_doc, &transcode, &request->arena);
    job->project_id = store->project_id;
    job->scene = scene_of(store, job, &request->arena);
    fill_scene(store, job, created_at, scene);
    return 0;
}

API_PLAN(api_media_store)
{
    struct media_store store = *(const struct media_store *)in;
    int64_t created_at = 0;
    if (http_check_url(store.url, &api->services->egress, err)) {
        memcpy(err->pointer, "/url", sizeof "/url");
        return -1;
    }
    if (store.mongo_db_id && check_scene(api, request, &store, &created_at, err))
        return -1;
    return plan(request, &store, created_at, job, scene, err);
}

/* Jobs without a record are repeated task by task. */
static int plan_same(struct request *request, const struct job *old, struct job *job,
                     struct err *err)
{
    if (submit_recipe(request, job, old->recipe, &old->params, err))
        return -1;
    job->project_id = old->project_id;
    for (size_t i = 0; i < job->tasks.len; i++) {
        const struct task *task = job_task(old, job->tasks.at[i].name);
        if (task)
            job->tasks.at[i].params = task->params;
    }
    return 0;
}

/* What takes an administrator to ask for takes one to ask for again. */
static int check_role(const struct request *request, const struct job *old, struct err *err)
{
    const struct recipe *recipe = recipe_find(old->recipe);
    if (!recipe || !recipe->admin || request->who.role >= ROLE_ADMIN)
        return 0;
    return err_set(err, ERR_FORBIDDEN, "this needs the role %s", role_names[ROLE_ADMIN]);
}

API_PLAN(api_job_retry)
{
    (void)in;
    struct job old;
    struct media_store store;
    int64_t created_at = 0;
    if (api_find_job(api, request, &old, err))
        return -1;
    if (!job_terminal(&old))
        return err_set(err, ERR_JOB_RUNNING, "the job has not ended yet");
    if (check_role(request, &old, err))
        return -1;
    job->retry_of = old.id;
    if (!old.scene)
        return plan_same(request, &old, job, err);
    if (doc_bson_unpack(&media_store_doc, &old.params, &request->arena, &store, err))
        return -1;
    store.mongo_db_id = old.scene;
    if (check_scene(api, request, &store, &created_at, err))
        return -1;
    return plan(request, &store, created_at, job, scene, err);
}
