/* The handler: settings and task in, a fetched file and what it is out. */
#include "worker/download/download.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "worker/download/fetch.h"

enum { ETAG_MAX = 256, MESSAGE_MAX = 64 };

int download_policy(const struct egress_settings *settings, struct arena *arena,
                    struct http_policy *out, struct err *err)
{
    int64_t *ports = arena_alloc_array(arena, settings->allowed_ports.len, sizeof *ports);
    for (size_t i = 0; i < settings->allowed_ports.len; i++) {
        char *end;
        ports[i] = strtoll(settings->allowed_ports.at[i], &end, 10);
        if (*end)
            return err_set(err, ERR_CONFIG, "'%.20s' is not a port", settings->allowed_ports.at[i]);
    }
    *out = (struct http_policy){
        .guarded = true,
        .allowed_cidrs = settings->allowed_cidrs.at,
        .allowed_cidrs_len = settings->allowed_cidrs.len,
        .allowed_ports = ports,
        .allowed_ports_len = settings->allowed_ports.len,
    };
    return http_guard_check_policy(out, err);
}

int download_open(const void *settings, struct err *err)
{
    struct arena arena = {0};
    struct http_policy policy;
    int result = download_policy(settings, &arena, &policy, err);
    arena_release(&arena);
    return result;
}

const char *download_message(int64_t bytes, int64_t total, char *out, size_t size)
{
    if (total > 0)
        snprintf(out, size, "%.1f of %.1f MB", (double)bytes / 1e6, (double)total / 1e6);
    else
        snprintf(out, size, "%.1f MB", (double)bytes / 1e6);
    return out;
}

static void http_free_at(struct http **http)
{
    http_free(*http);
}

static bool on_stopped(void *arg)
{
    return run_stopped(arg);
}

static void on_progress(void *arg, int64_t got, int64_t bytes, int64_t total)
{
    char message[MESSAGE_MAX];
    int64_t percent = total > 0 ? (int64_t)((double)bytes / (double)total * 99) : 0;
    run_usage(arg, got, 0);
    run_progress(arg, percent, download_message(bytes, total, message, sizeof message));
}

/* What the source said goes into a document: bounded, and text. */
static const char *clean(struct arena *arena, const char *text, size_t max)
{
    if (!text)
        return NULL;
    char *copy = arena_printf(arena, "%.*s", (int)max, text);
    err_clean(copy);
    return copy;
}

static int keep(const struct fetch *fetch, const char *directory, struct download_result *result,
                struct err *err)
{
    struct arena *arena = fetch->arena;
    const char *file = arena_printf(arena, "source%s", fetch->type->extension);
    if (rename(fetch->path, arena_printf(arena, "%s/%s", directory, file)))
        return err_errno(err, errno, "name the source's file");
    *result = (struct download_result){
        .file = file,
        .size_bytes = fetch->size_bytes,
        .content_type = fetch->type->content_type,
        .media = fetch->type->media,
        .sha256 = arena_strdup(arena, fetch->sha256),
        .etag = clean(arena, fetch->etag, ETAG_MAX),
        .final_url = clean(arena, fetch->final_url, SOURCE_URL_MAX),
        .resumed = fetch->resumed,
    };
    return 0;
}

int download_handle(struct run *run, const void *params, void *result, struct err *err)
{
    const struct egress_settings *settings = run_settings(run);
    struct arena *arena = run_arena(run);
    const char *directory = run_dir(run, err);
    struct http_policy policy;
    CLEANUP(http_free_at) struct http *http = NULL;
    /* Connections to one user's hosts are never used for another's: they end with the task. */
    if (!directory || download_policy(settings, arena, &policy, err) ||
        http_open(&http, &policy, 1, err))
        return -1;
    struct fetch fetch = {
        .http = http,
        .url = ((const struct download_params *)params)->url,
        .path = arena_printf(arena, "%s/source.part", directory),
        .max_bytes = egress_settings_max_bytes(settings),
        .max_redirects = settings->max_redirects,
        .connect_timeout_ms = (int)settings->connect_timeout_s * 1000,
        .low_speed_bytes = (int)settings->low_speed_bytes,
        .low_speed_s = (int)settings->low_speed_s,
        .stopped = on_stopped,
        .progress = on_progress,
        .arg = run,
        .arena = arena,
    };
    if (fetch_file(&fetch, err))
        return run_stopped(run) ? run_stop_error(run, err) : -1;
    return keep(&fetch, directory, result, err);
}
