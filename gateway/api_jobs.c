/* Jobs: one, many, cancelled. */
#include <string.h>

#include "common/clock.h"
#include "gateway/handlers.h"
#include "gateway/job_reader.h"
#include "gateway/job_view.h"
#include "proto/answer.h"
#include "proto/file_path.h"
#include "proto/transition.h"

enum { PAGE_DEFAULT = 50, CANCEL_TRIES = 10 };

static int find_id(struct request *request, const char **out, struct err *err)
{
    const char *id = request_capture(request, "id"), *why;
    if (!id || ulid_check(id, &why) != ERR_NONE)
        return err_set(err, ERR_INVALID_ID, "a job's id is a ULID: 26 characters of 0-9, A-Z");
    *out = id;
    return 0;
}

/* Another tenant's looks like none, word for word. */
static int check_found(const struct request *request, const char *id, const struct job *job,
                       struct err *err)
{
    if (!job && err->code != ERR_JOB_NOT_FOUND)
        return -1;
    if (!job || strcmp(job->tenant, request->who.tenant) != 0)
        return err_set(err, ERR_JOB_NOT_FOUND, "there is no job %s", id);
    return 0;
}

int api_find_job(struct api *api, struct request *request, struct job *out, struct err *err)
{
    const char *id = NULL;
    if (find_id(request, &id, err))
        return -1;
    int failed = store_job(api->services->store, id, &request->arena, out, err);
    return check_found(request, id, failed ? NULL : out, err);
}

/* A request that waits for its job. */
struct asking {
    struct request *request;
    struct job_read read;
};

static void answer_job(void *arg, const struct job *job, const struct err *failed)
{
    struct asking *asking = arg;
    struct request *request = asking->request;
    struct arena *arena = &request->arena;
    struct err err = *failed;
    if (check_found(request, asking->read.id, job, &err)) {
        reply_problem(request, &err);
        request->done(request);
        return;
    }
    const char *etag = job_view_etag(job, arena);
    reply_header(request, "ETag", etag);
    reply_header(request, "Cache-Control", "no-cache");
    if (job_view_etag_matches(request->headers.if_none_match, etag)) {
        request->reply.status = 304;
    } else {
        struct job_view *view = arena_alloc(arena, sizeof *view);
        job_view_fill(job, true, arena, view);
        reply_document(request, request->route->status, request->route->response, view);
    }
    request->done(request);
}

API_ANSWER(api_job)
{
    struct asking *asking = arena_alloc(&request->arena, sizeof *asking);
    (void)in;
    (void)out;
    *asking = (struct asking){.request = request, .read = {.done = answer_job, .arg = asking}};
    if (find_id(request, &asking->read.id, err) ||
        job_reader_submit(api->services->job_reader, &asking->read, err))
        return -1;
    return API_PARKED;
}

/* One more than the page is read, to know whether there is a next one. */
API_ANSWER(api_jobs)
{
    const struct job_search *search = in;
    struct job_page *page = out;
    size_t limit = search->limit ? (size_t)search->limit : PAGE_DEFAULT, len;
    const struct job_query query = {.tenant = request->who.tenant,
                                    .project_id = search->project_id,
                                    .recipe = search->recipe,
                                    .state = search->state,
                                    .before_id = search->cursor,
                                    .limit = limit + 1};
    const char *why;
    struct job *jobs;
    if (search->cursor && ulid_check(search->cursor, &why) != ERR_NONE)
        return err_set(err, ERR_INVALID_CURSOR, "the cursor is not one of ours");
    if (store_list_jobs(api->services->store, &query, &request->arena, &jobs, &len, err))
        return -1;
    page->jobs.len = len < limit ? len : limit;
    page->jobs.at = arena_alloc_array(&request->arena, page->jobs.len, sizeof *page->jobs.at);
    for (size_t i = 0; i < page->jobs.len; i++)
        job_view_fill(&jobs[i], false, &request->arena, &page->jobs.at[i]);
    if (len > limit)
        page->next = jobs[limit - 1].id;
    return 0;
}

/* 1: saved or nothing to save; 0: somebody else was faster; -1. */
static int try_cancel(struct api *api, struct request *request, struct job *job, struct err *err)
{
    struct job before;
    if (api_find_job(api, request, &before, err))
        return -1;
    if (job_terminal(&before))
        return err_set(err, ERR_JOB_FINISHED, "the job has ended already");
    *job = before;
    job->tasks.at =
        arena_memdup(&request->arena, before.tasks.at, before.tasks.len * sizeof *before.tasks.at);
    if (!job_stop(job, ERR_CANCELLED, request->who.name, clock_now_ms()))
        return 1; /* it is stopping already */
    struct store_swap swap = {.before = &before, .after = job};
    if (store_swap(api->services->store, &swap, 1, err))
        return -1;
    return swap.saved ? 1 : 0;
}

API_ANSWER(api_job_cancel)
{
    (void)in;
    struct job job;
    int tried = 0;
    for (int i = 0; i < CANCEL_TRIES && tried == 0; i++)
        tried = try_cancel(api, request, &job, err);
    if (tried < 0)
        return -1;
    if (tried == 0)
        return err_set(err, ERR_OVERLOADED, "the job changes too fast; try again");
    /* A worker does the finish duties of a job that has nothing left to run. If the ticket is lost
     * the alarm comes. */
    struct err lost = {0};
    (void)reconcile_publish(api->services->publisher, &job, clock_now_ms(), &lost);
    job_view_fill(&job, true, &request->arena, out);
    return 0;
}
