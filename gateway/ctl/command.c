/* The commands of mediafleetctl, one function each. */
#include "gateway/ctl/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/doc_json.h"
#include "common/id.h"
#include "gateway/ctl/show.h"
#include "gateway/ctl/show_storage.h"
#include "gateway/ctl/watch.h"
#include "proto/file_path.h"
#include "proto/lifecycle.h"
#include "proto/storage_job.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyz"

enum { ID_MAX = 64, PATIENCE_MS = 5000, LIMIT = 50, LIMIT_MAX = 1000 };

/* --- options --- */

struct store_options {
    const char *project_id, *scene_id;
};
static const struct field store_fields[] = {
    FIELD(store_options, project_id, .flags = FIELD_REQUIRED, .text = "Whose it is."),
    FIELD(store_options, scene_id, .text = "The scene's name."),
};
static const struct doc store_options_doc = DOC(store_options, store_fields);

struct jobs_options {
    enum job_state state;
    const char *project_id;
    int64_t limit;
};
static const struct field jobs_fields[] = {
    FIELD(jobs_options, state, .names = job_state_names, .text = "Only those that are so."),
    FIELD(jobs_options, project_id, .check = ident_check, .text = "Only this project's."),
    FIELD(jobs_options, limit, .min = 1, .max = LIMIT_MAX, .text = "At most so many."),
};
static const struct doc jobs_options_doc = DOC(jobs_options, jobs_fields);

/* --- what the commands share --- */

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

int command_call(struct session *session, const struct client_request *request, void *out,
                 struct err *err)
{
    struct client_answer answer;
    if (client_call(&session->client, request, &session->arena, &answer, out, err))
        return -1;
    if (session->common.json)
        puts(answer.json.at);
    return session->common.json;
}

static int get(struct session *session, const char *path, const struct doc *doc, void *out,
               struct err *err)
{
    struct client_request request = {
        .method = "GET", .path = path, .patience_ms = PATIENCE_MS, .answer_doc = doc};
    return command_call(session, &request, out, err);
}

static int watch_job(struct session *session, const char *id, struct err *err)
{
    struct watch watch = {
        .job = id, .json = session->common.json, .timeout_s = session->common.timeout_s};
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
    int printed = command_call(session, &request, &accepted, err);
    if (printed < 0)
        return -1;
    if (!printed)
        show_accepted(stdout, &accepted);
    fflush(stdout);
    return session->common.wait ? watch_job(session, accepted.task_id, err) : EXIT_SUCCESS;
}

static int run_store(struct session *session, struct err *err)
{
    const struct store_options *options = session->options;
    const struct media_store store = {
        .url = session->argument, .project_id = options->project_id, .scene_id = options->scene_id};
    struct text body = {.arena = &session->arena};
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
    const struct jobs_options *options = session->options;
    struct text path = {.arena = &session->arena};
    struct job_page page;
    text_printf(&path, "/api/v1/jobs?limit=%lld",
                (long long)(options->limit ? options->limit : LIMIT));
    if (options->state)
        text_printf(&path, "&state=%s", job_state_names[options->state]);
    if (options->project_id)
        text_printf(&path, "&project_id=%s", options->project_id);
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
    int printed = command_call(session, &request, &job, err);
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

/* --- work for administrators --- */

/* 0, or an exit status, or -1. The job is printed by whoever shows its result. */
static int follow(struct session *session, const char *id, struct err *err)
{
    struct watch watch = {.job = id,
                          .quiet = session->common.json || !isatty(STDOUT_FILENO),
                          .timeout_s = session->common.timeout_s};
    enum job_state end;
    if (watch_run(&session->client, &watch, &end, err))
        return -1;
    return exit_status(end);
}

static int show_result(struct session *session, const char *id, int status, struct err *err)
{
    struct job_view job;
    int printed = get(session, arena_printf(&session->arena, "/api/v1/jobs/%s", id), &job_view_doc,
                      &job, err);
    if (printed < 0)
        return -1;
    if (job.state != JOB_SUCCEEDED && !printed)
        show_end(stderr, &job);
    int shown = session->command->show(session, &job, err);
    return shown != EXIT_SUCCESS ? shown : status;
}

int run_work(struct session *session, struct err *err)
{
    struct text body = {.arena = &session->arena};
    struct accepted accepted;
    struct client_answer answer;
    char key[ID_ULID_LEN + 1];
    id_hex(key, ID_ULID_LEN);
    doc_json_encode(session->command->options, session->options, &body);
    const struct client_request request = {.method = "POST",
                                           .path = session->command->path,
                                           .body = body.at,
                                           .idempotency_key = key,
                                           .patience_ms = PATIENCE_MS,
                                           .answer_doc = &accepted_doc};
    if (client_call(&session->client, &request, &session->arena, &answer, &accepted, err))
        return -1;
    int status = follow(session, accepted.task_id, err);
    return status < 0 ? -1 : show_result(session, accepted.task_id, status, err);
}

const struct command command_table[] = {
    {.name = "store",
     .argument = "URL",
     .run = run_store,
     .options = &store_options_doc,
     .text = "stores the media behind a URL"},
    {.name = "job", .argument = "ID", .run = run_job, .text = "shows a job and its tasks"},
    {.name = "jobs",
     .run = run_jobs,
     .options = &jobs_options_doc,
     .text = "lists jobs, the newest first"},
    {.name = "watch", .argument = "ID", .run = run_watch, .text = "follows a job to its end"},
    {.name = "cancel", .argument = "ID", .run = run_cancel, .text = "stops a job"},
    {.name = "retry",
     .argument = "ID",
     .run = run_retry,
     .text = "asks for the same again, as a new job"},
    {.name = "workers", .run = run_workers, .text = "lists the worker processes"},
    {.name = "queues", .run = run_queues, .text = "lists what waits for which kind of worker"},
    {.name = "storage reconcile",
     .run = run_work,
     .options = &storage_reconcile_doc,
     .text = "compares the bucket with its rows: orphans, ghosts, sizes",
     .path = "/api/v1/storage/reconcile",
     .show = show_reconcile},
    {.name = "storage migrate",
     .run = run_work,
     .options = &storage_migrate_doc,
     .text = "takes objects from one backend to another",
     .path = "/api/v1/storage/migrate",
     .show = show_migrate},
    {.name = "storage duplicates",
     .run = run_work,
     .options = &storage_duplicates_doc,
     .text = "counts objects of the same content",
     .path = "/api/v1/storage/duplicates",
     .show = show_duplicates},
    {.name = "storage lifecycle",
     .run = run_lifecycle,
     .options = &lifecycle_ask_doc,
     .text = "shows the bucket's own rules of expiry; --apply sets ours"},
    {.name = "cleanup",
     .run = run_work,
     .options = &storage_expire_doc,
     .text = "removes what nobody needs any more: for cron",
     .path = "/api/v1/storage/cleanup",
     .show = show_cleanup},
    {.name = NULL},
};

/* How many words the name has, if they are these; else 0. */
static size_t words_of(const char *name, const char *const *words, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        size_t word = strlen(words[i]);
        if (strncmp(name, words[i], word) != 0)
            return 0;
        name += word;
        if (*name == '\0')
            return i + 1;
        if (*name++ != ' ')
            return 0;
    }
    return 0;
}

const struct command *command_find(const char *const *words, size_t len, size_t *taken)
{
    for (const struct command *row = command_table; row->name; row++)
        if ((*taken = words_of(row->name, words, len)) > 0)
            return row;
    return NULL;
}

int command_run(struct session *session, struct err *err)
{
    const char *argument = session->command->argument;
    if (argument && strcmp(argument, "ID") == 0 && !is_id(session->argument))
        return usage("that is not the id of a job");
    return session->command->run(session, err);
}
