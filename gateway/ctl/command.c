/* The commands of mediafleetctl, one function each. */
#include "gateway/ctl/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/doc_json.h"
#include "common/id.h"
#include "gateway/ctl/show.h"
#include "gateway/ctl/watch.h"
#include "proto/file_path.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyz"

enum { ID_MAX = 64, PATIENCE_MS = 5000, LIMIT = 50 };

static int exit_status(enum job_state state)
{
    if (state == JOB_SUCCEEDED)
        return EXIT_SUCCESS;
    return state == JOB_CANCELLED ? EXIT_JOB_CANCELLED : EXIT_JOB_FAILED;
}

static int usage(const char *problem)
{
    fprintf(stderr, "mediafleetctl: %s\n", problem);
    return EXIT_USAGE;
}

/* Ids go into paths as they are. */
static bool is_id(const char *id)
{
    size_t len = strspn(id, LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
    return len > 0 && len <= ID_MAX && id[len] == '\0';
}

/* Calls and, with --json, prints the answer as it came: 1 if there is nothing left to print. */
static int call(struct session *session, const struct client_request *request, void *out,
                struct err *err)
{
    struct client_answer answer;
    if (client_call(&session->client, request, &session->arena, &answer, out, err))
        return -1;
    if (session->json)
        puts(answer.json.at);
    return session->json;
}

static int get(struct session *session, const char *path, const struct doc *doc, void *out,
               struct err *err)
{
    struct client_request request = {
        .method = "GET", .path = path, .patience_ms = PATIENCE_MS, .answer_doc = doc};
    return call(session, &request, out, err);
}

static int watch_job(struct session *session, const char *id, struct err *err)
{
    struct watch watch = {.job = id, .json = session->json, .timeout_s = session->timeout_s};
    enum job_state end;
    if (watch_run(&session->client, &watch, &end, err))
        return -1;
    return exit_status(end);
}

/* A post that makes a job. The key makes it safe to send it again when no answer came. */
static int post_job(struct session *session, const char *path, const char *body, struct err *err)
{
    struct accepted accepted;
    char key[ID_ULID_LEN + 1];
    id_hex(key, ID_ULID_LEN);
    struct client_request request = {.method = "POST",
                                     .path = path,
                                     .body = body,
                                     .idempotency_key = key,
                                     .patience_ms = PATIENCE_MS,
                                     .answer_doc = &accepted_doc};
    int printed = call(session, &request, &accepted, err);
    if (printed < 0)
        return -1;
    if (!printed)
        show_accepted(stdout, &accepted);
    fflush(stdout);
    return session->wait ? watch_job(session, accepted.task_id, err) : EXIT_SUCCESS;
}

static int run_store(struct session *session, struct err *err)
{
    struct media_store store = {
        .url = session->argument, .project_id = session->project, .scene_id = session->scene};
    struct text body = {.arena = &session->arena};
    if (!store.project_id)
        return usage("store needs --project");
    doc_json_encode(&media_store_doc, &store, &body);
    return post_job(session, "/api/v1/media/store", body.at, err);
}

static const char *job_path(struct session *session, const char *action)
{
    return arena_printf(&session->arena, "/api/v1/jobs/%s%s", session->argument, action);
}

static int run_job(struct session *session, struct err *err)
{
    struct job_view job;
    int printed = get(session, job_path(session, ""), &job_view_doc, &job, err);
    if (printed == 0)
        show_job(stdout, &job);
    return printed < 0 ? -1 : EXIT_SUCCESS;
}

static int run_jobs(struct session *session, struct err *err)
{
    struct text path = {.arena = &session->arena};
    struct job_page page;
    const char *why;
    if (session->project && ident_check(session->project, &why) != ERR_NONE)
        return usage("--project is not a project's id");
    if (session->state && session->state[strspn(session->state, LETTERS)] != '\0')
        return usage("--state is one word");
    text_printf(&path, "/api/v1/jobs?limit=%lld",
                (long long)(session->limit ? session->limit : LIMIT));
    if (session->state)
        text_printf(&path, "&state=%s", session->state);
    if (session->project)
        text_printf(&path, "&project_id=%s", session->project);
    int printed = get(session, path.at, &job_page_doc, &page, err);
    if (printed == 0)
        show_jobs(stdout, &page);
    return printed < 0 ? -1 : EXIT_SUCCESS;
}

static int run_watch(struct session *session, struct err *err)
{
    return watch_job(session, session->argument, err);
}

static int run_cancel(struct session *session, struct err *err)
{
    struct job_view job;
    struct client_request request = {.method = "POST",
                                     .path = job_path(session, "/cancel"),
                                     .patience_ms = PATIENCE_MS,
                                     .answer_doc = &job_view_doc};
    int printed = call(session, &request, &job, err);
    if (printed == 0)
        show_job(stdout, &job);
    return printed < 0 ? -1 : EXIT_SUCCESS;
}

static int run_retry(struct session *session, struct err *err)
{
    return post_job(session, job_path(session, "/retry"), NULL, err);
}

static int run_workers(struct session *session, struct err *err)
{
    struct worker_page page;
    int printed = get(session, "/api/v1/workers", &worker_page_doc, &page, err);
    if (printed == 0)
        show_workers(stdout, &page);
    return printed < 0 ? -1 : EXIT_SUCCESS;
}

static int run_queues(struct session *session, struct err *err)
{
    struct queue_page page;
    int printed = get(session, "/api/v1/queues", &queue_page_doc, &page, err);
    if (printed == 0)
        show_queues(stdout, &page);
    return printed < 0 ? -1 : EXIT_SUCCESS;
}

const struct command command_table[] = {
    {"store", "URL", run_store, "stores the media behind a URL (--project P [--scene S] [--wait])"},
    {"job", "ID", run_job, "shows a job and its tasks"},
    {"jobs", NULL, run_jobs,
     "lists jobs, the newest first ([--state S] [--project P] [--limit N])"},
    {"watch", "ID", run_watch, "follows a job to its end ([--timeout SECONDS])"},
    {"cancel", "ID", run_cancel, "stops a job"},
    {"retry", "ID", run_retry, "asks for the same again, as a new job ([--wait])"},
    {"workers", NULL, run_workers, "lists the worker processes"},
    {"queues", NULL, run_queues, "lists what waits for which kind of worker"},
    {NULL, NULL, NULL, NULL},
};

const struct command *command_find(const char *name)
{
    for (const struct command *row = command_table; row->name; row++)
        if (strcmp(row->name, name) == 0)
            return row;
    return NULL;
}

int command_run(const struct command *command, struct session *session, struct err *err)
{
    if (command->argument && strcmp(command->argument, "ID") == 0 && !is_id(session->argument))
        return usage("that is not the id of a job");
    return command->run(session, err);
}
