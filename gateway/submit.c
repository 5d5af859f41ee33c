/* The job lives in the request's arena until the committer has called back. */
#include "gateway/submit.h"
#include "gateway/handlers.h"

#include <string.h>

#include "common/clock.h"
#include "common/digest.h"
#include "common/doc_bson.h"
#include "common/id.h"
#include "gateway/committer.h"
#include "proto/answer.h"
#include "proto/recipe.h"
#include "proto/transition.h"

struct submission {
    struct request *request;
    struct services *services;
    struct job job;
    struct scene scene;
    struct idempotency idempotency;
    struct commit commit;
    char id[ID_ULID_LEN + 1];
};

int submit_recipe(struct request *request, struct job *job, const char *recipe,
                  const struct raw *params, struct err *err)
{
    const struct recipe *row = recipe_find(recipe);
    if (!row)
        return err_set(err, ERR_INTERNAL, "there is no recipe '%s'", recipe);
    struct task *tasks = arena_alloc_array(&request->arena, RECIPE_TASKS_MAX, sizeof *tasks);
    const char *(*needs)[RECIPE_NEEDS_MAX] =
        arena_alloc_array(&request->arena, RECIPE_TASKS_MAX, sizeof *needs);
    recipe_plan(row, job, tasks, needs);
    job->params = *params;
    return 0;
}

/* Hashes of texts that contain no NUL, joined by one. */
static const char *hash_of(struct arena *arena, const char *const *texts, size_t len)
{
    uint8_t digest[DIGEST_LEN];
    char *hex = arena_alloc(arena, DIGEST_HEX_LEN + 1);
    struct digest *hash = digest_begin();
    for (size_t i = 0; i < len; i++)
        digest_add(hash, texts[i], strlen(texts[i]) + 1);
    digest_end(hash, digest);
    digest_hex(digest, hex);
    return hex;
}

/* The path, not the row's pattern: another job's retry is another request. */
static const char *idempotency_id(struct request *request)
{
    const char *const texts[] = {request->who.tenant, request->path,
                                 request->headers.idempotency_key};
    return hash_of(&request->arena, texts, sizeof texts / sizeof texts[0]);
}

static void fill_idempotency(struct submission *submission, int64_t now)
{
    struct request *request = submission->request;
    uint8_t digest[DIGEST_LEN];
    char *hash = arena_alloc(&request->arena, DIGEST_HEX_LEN + 1);
    digest_sha256(request->body, request->body_len, digest);
    digest_hex(digest, hash);
    submission->idempotency = (struct idempotency){
        .id = idempotency_id(request), .job = submission->id, .request_hash = hash, .at = now};
    submission->commit.idempotency = &submission->idempotency;
}

static void reply_accepted(struct submission *submission, const struct commit_result *result)
{
    struct request *request = submission->request;
    struct accepted accepted = {
        .task_id = result->job_id ? result->job_id : submission->id,
        .mongo_db_id = result->scene,
        .queued = result->queued,
    };
    accepted.status_url = arena_printf(&request->arena, "/api/v1/jobs/%s", accepted.task_id);
    reply_document(request, 202, &accepted_doc, &accepted);
    reply_header(request, "Location", accepted.status_url);
    reply_header(request, "Retry-After", "1");
    if (!result->existing)
        metrics_accept(submission->services->metrics, result->queued);
}

/* On the committer's thread. */
static void on_committed(void *arg, const struct commit_result *result)
{
    struct submission *submission = arg;
    if (result->err.code != ERR_NONE)
        reply_problem(submission->request, &result->err);
    else
        reply_accepted(submission, result);
    submission->request->done(submission->request);
}

int submit(struct api *api, struct request *request, const struct handler *handler, struct err *err)
{
    struct submission *submission = arena_alloc(&request->arena, sizeof *submission);
    int64_t now = clock_now_ms();
    submission->request = request;
    submission->services = api->services;
    id_ulid(now, submission->id);
    submission->job.id = submission->id;
    submission->job.tenant = request->who.tenant;
    submission->job.owner = request->who.name;
    if (handler->plan(api, request, request->in, &submission->job, &submission->scene, err))
        return -1;
    job_start(&submission->job, now);
    submission->commit = (struct commit){.job = &submission->job,
                                         .scene = submission->scene.id ? &submission->scene : NULL,
                                         .done = on_committed,
                                         .arg = submission,
                                         .late_ms = request->began_ms + REQUEST_ANSWER_MS};
    if (request->headers.idempotency_key)
        fill_idempotency(submission, now);
    return committer_submit(api->services->committer, &submission->commit, err);
}
