/* --check and --health: one look at each service. */
#include <string.h>
#include <unistd.h>

#include "common/bucket_admin.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/http.h"
#include "gateway/services.h"

enum { BROKER_WAIT_MS = 5000, HEALTH_MS = 2000 };

static void store_free_at(struct store **store)
{
    if (*store)
        store_free(*store);
}
static void bucket_free_at(struct bucket **bucket)
{
    if (*bucket)
        bucket_free(*bucket);
}
static void http_free_at(struct http **http)
{
    if (*http)
        http_free(*http);
}

static int try_store(const struct options *options, struct err *err)
{
    CLEANUP(store_free_at) struct store *store = NULL;
    if (store_open(&store, &options->store, "mediafleet-check", err))
        return -1;
    return store_ping(store, err);
}

/* The publisher connects by itself; it is given a while. */
static int try_broker(const struct options *options, struct err *err)
{
    struct publisher *publisher;
    if (publisher_open(&publisher, options->fleet.amqp_url, "mediafleet-check", err))
        return -1;
    int64_t end = clock_mono_ms() + BROKER_WAIT_MS;
    bool connected = false;
    while (!connected && clock_mono_ms() < end) {
        clock_sleep_ms(50);
        connected = publisher_connected(publisher);
    }
    publisher_free(publisher, 0);
    return connected ? 0 : err_set(err, ERR_BROKER_UNAVAILABLE, "no connection within 5 s");
}

static int try_bucket(const struct options *options, struct err *err)
{
    CLEANUP(bucket_free_at) struct bucket *bucket = NULL;
    if (bucket_open(&bucket, &options->bucket, err))
        return -1;
    return bucket_check(bucket, err);
}

static int try_workspace(const struct options *options, struct err *err)
{
    const char *workspace = options->fleet.workspace;
    if (access(workspace, R_OK | W_OK | X_OK))
        return err_set(err, ERR_CONFIG, "%s is not a directory that can be written", workspace);
    return 0;
}

static int try_keys(const struct options *options, struct err *err)
{
    struct auth *auth;
    if (auth_open(&auth, &options->gateway.api_keys, options->gateway.jwt_secret, err))
        return -1;
    auth_free(auth);
    if (options->gateway.api_keys.len == 0 && !options->gateway.jwt_secret)
        return err_set(err, ERR_CONFIG,
                       "neither MEDIAFLEET_API_KEYS nor MEDIAFLEET_JWT_SECRET is set: "
                       "nobody can use the API");
    return 0;
}

size_t services_check(const struct options *options, struct text *report)
{
    static const struct {
        const char *name;
        int (*try)(const struct options *options, struct err *err);
    } checks[] = {
        {"keys", try_keys},     {"store", try_store},         {"broker", try_broker},
        {"bucket", try_bucket}, {"workspace", try_workspace},
    };
    size_t failed = 0;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        struct err err = {0};
        int result = checks[i].try(options, &err);
        text_printf(report, "%s: %s\n", checks[i].name, result ? err.detail : "ok");
        failed += result != 0;
    }
    return failed;
}

int services_health(const struct options *options, struct err *err)
{
    CLEANUP(http_free_at) struct http *http = NULL;
    const struct http_policy open = {0};
    struct arena arena = {0};
    const char *url = arena_printf(&arena, "http://%s/healthz", options->gateway.listen);
    struct http_request request = {.method = "GET",
                                   .url = url,
                                   .connect_timeout_ms = HEALTH_MS,
                                   .total_timeout_ms = HEALTH_MS,
                                   .text = {.arena = &arena}};
    int result = http_open(&http, &open, 1, err);
    if (result == 0)
        result = http_perform(http, &request, err);
    if (result == 0 && request.status != 200)
        result = err_set(err, ERR_INTERNAL, "%s answered %d", url, request.status);
    arena_release(&arena);
    return result;
}
