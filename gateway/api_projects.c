/* Projects: deleted. What does not fit into a request is left to the project's cleanup. */
#include <string.h>

#include "common/audit.h"
#include "common/clock.h"
#include "common/id.h"
#include "common/projects.h"
#include "gateway/handlers.h"
#include "gateway/project.h"

/* DELETE_MS: so long jobs are stopped and scenes removed before the answer. */
enum { DELETE_MS = 1000, TRIES = 8, REPEATS = 64 };

int api_project(struct request *request, const char **out, struct err *err)
{
    const char *why = "is not text";
    *out = request_capture(request, "project_id");
    if (!*out || ident_check(*out, &why) != ERR_NONE)
        return err_set(err, ERR_INVALID_ID, "a project's id %s", why);
    return 0;
}

/* A project is what has a record, a scene, a row or a job. 1, 0, -1. */
static int is_known(struct api *api, struct request *request, const char *id, struct err *err)
{
    struct store *store = api->services->store;
    const struct scene scene = {.tenant = request->who.tenant, .project_id = id};
    const struct file_path row = {.tenant = request->who.tenant, .project_id = id};
    const struct job_query query = {.tenant = request->who.tenant, .project_id = id, .limit = 1};
    struct scene a_scene;
    struct file_path a_row;
    struct job *jobs;
    size_t len;
    if (store_get(store, SCENE_COLLECTION, &scene_doc, &scene, &request->arena, &a_scene, err) == 0)
        return 1;
    if (err->code == ERR_NOT_FOUND && store_get(store, FILE_PATH_COLLECTION, &file_path_doc, &row,
                                                &request->arena, &a_row, err) == 0)
        return 1;
    if (err->code != ERR_NOT_FOUND)
        return -1;
    *err = (struct err){0};
    if (store_list_jobs(store, &query, &request->arena, &jobs, &len, err))
        return -1;
    return len > 0;
}

/* Of two requests at once one writes the tombstone; the other one finds it. 0: somebody was faster.
 */
static int try_bury(struct api *api, struct request *request, struct project *project, bool there,
                    struct err *err)
{
    struct store *store = api->services->store;
    char key[PROJECT_KEY_MAX + 1], job[ID_ULID_LEN + 1];
    const struct project known = *project;
    int64_t now = clock_now_ms();
    if (project_key(request->who.tenant, project->project_id, key))
        return err_set(err, ERR_INVALID_ID, "the project's id is too long");
    id_ulid(now, job);
    project->id = arena_strdup(&request->arena, key);
    project->deleted_at = project->updated_at = now;
    project->deleted_by = request->who.name;
    project->cleanup_job = arena_strdup(&request->arena, job);
    project->created_at = there ? known.created_at : now;
    const struct project filter = {.id = project->id, .updated_at = known.updated_at};
    int taken = there ? store_update(store, PROJECT_COLLECTION, &project_doc, &filter, project,
                                     NULL, false, err)
                      : store_insert(store, PROJECT_COLLECTION, &project_doc, project, err);
    return taken < 0 ? -1 : !taken;
}

static int bury(struct api *api, struct request *request, const char *id, struct project *project,
                struct err *err)
{
    for (int i = 0; i < TRIES; i++) {
        int there = projects_find(api->services->store, request->who.tenant, id, &request->arena,
                                  project, err);
        if (there < 0)
            return -1;
        if (project->deleted_at)
            return 0;
        int known = there ? 1 : is_known(api, request, id, err);
        if (known < 0)
            return -1;
        if (!known)
            return err_set(err, ERR_PROJECT_NOT_FOUND, "there is no project %s", id);
        int done = try_bury(api, request, project, there, err);
        if (done)
            return done < 0 ? -1 : 0;
    }
    return err_set(err, ERR_OVERLOADED, "the project changes too fast; try again");
}

/* The cleanup that the tombstone names, or, where that has failed, the next one: asked so often, as
 * many requests as there are make the same one. *job: to be published; NULL: nothing is left to do.
 */
static int ensure_cleanup(const struct projects_step *step, const struct project *project,
                          struct arena *arena, struct job **job, struct err *err)
{
    const struct cleanup_params params = {.project_id = step->project, .gone = true};
    char id[ID_ULID_LEN + 1] = "";
    memccpy(id, project->cleanup_job ? project->cleanup_job : "", '\0', sizeof id - 1);
    for (int i = 0; i < REPEATS; i++) {
        struct job found, *made;
        if (store_job(step->store, id, arena, &found, err) == 0) {
            if (found.state != JOB_FAILED && found.state != JOB_CANCELLED) {
                *job =
                    found.state == JOB_SUCCEEDED ? NULL : arena_memdup(arena, &found, sizeof found);
                return 0;
            }
            id_child(arena_strdup(arena, id), "repeat", id);
            continue;
        }
        if (err->code != ERR_JOB_NOT_FOUND)
            return -1;
        *err = (struct err){0};
        made = projects_cleanup_job(step, id, 0, &params, arena);
        *job = made;
        return projects_insert_job(step->store, made, err);
    }
    return err_set(err, ERR_OVERLOADED, "its cleanup has failed too often");
}

/* The same request twice is one line. */
static int write_audit(struct api *api, const struct request *request,
                       const struct project *project, struct err *err)
{
    char id[ID_ULID_LEN + 1];
    id_child(project->cleanup_job, "deleted", id);
    const struct audit line = {.id = id,
                               .at = project->deleted_at,
                               .tenant = request->who.tenant,
                               .by = project->deleted_by,
                               .action = "project.delete",
                               .subject = project->project_id,
                               .request_id = request->id,
                               .job = project->cleanup_job};
    return audit_add(api->services->store, &line, err);
}

API_ANSWER(api_project_delete)
{
    const char *id;
    struct project project;
    struct job *job = NULL;
    int64_t count = 0;
    struct err lost = {0};
    (void)in, (void)out;
    if (api_project(request, &id, err) || bury(api, request, id, &project, err))
        return -1;
    const struct projects_step step = {.store = api->services->store,
                                       .publisher = api->services->publisher,
                                       .tenant = request->who.tenant,
                                       .project = id,
                                       .by = request->who.name,
                                       .until_ms = request->began_ms + DELETE_MS};
    if (ensure_cleanup(&step, &project, &request->arena, &job, err) ||
        write_audit(api, request, &project, err))
        return -1;
    /* The job does all this again: here it is done so that the caller sees it done. */
    int over = projects_stop_jobs(&step, &count, err);
    if (over == 1)
        over = projects_remove_scenes(&step, &count, err);
    if (over < 0)
        return -1;
    if (job) /* if the ticket is lost the alarm comes */
        (void)reconcile_publish(api->services->publisher, job, clock_now_ms(), &lost);
    request->reply.status = 204;
    return 0;
}
