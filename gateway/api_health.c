/* Whether the gateway lives, and whether it can do its work. */
#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "gateway/handlers.h"
#include "gateway/openapi.h"
#include "gateway/ready.h"
#include "proto/fleet_view.h"

API_ANSWER(api_healthz)
{
    (void)api;
    (void)request;
    (void)in;
    (void)err;
    *(struct health *)out = (struct health){.status = "ok", .version = MEDIAFLEET_VERSION};
    return 0;
}

API_ANSWER(api_openapi)
{
    (void)api;
    (void)in;
    (void)out;
    (void)err;
    request->reply.status = 200;
    request->reply.content_type = request->route->content_type;
    request->reply.body = (struct text){.arena = &request->arena};
    openapi_print(&request->reply.body);
    return 0;
}

/* The code only: details name hosts, and everybody may ask. */
static struct service_check judge(int result, const struct err *err)
{
    return (struct service_check){.ok = result == 0, .why = result ? error_name(err->code) : NULL};
}

/* Asked of the bucket, not of an object: the answer to HEAD does not tell which of the two is
 * missing. */
static struct service_check check_bucket(struct api *api, struct arena *arena)
{
    struct err err = {0};
    struct bucket *bucket;
    struct objects objects;
    int result = api_bucket(api, &bucket, &err);
    if (result && err.code == ERR_STORAGE_DISABLED)
        return (struct service_check){.ok = true};
    if (result == 0)
        result = bucket_list(bucket, "mediafleet-check/", NULL, 1, arena, &objects, &err);
    return judge(result, &err);
}

static struct service_check check_disk(const struct services *services)
{
    struct err err = {0};
    struct statvfs disk;
    const char *workspace = services->fleet->workspace;
    int result = 0;
    if (statvfs(workspace, &disk))
        result = err_set(&err, ERR_IO_ERROR, "%s: %s", workspace, strerrorname_np(errno));
    else if ((int64_t)(disk.f_bavail * disk.f_frsize) < services->fleet->min_free_bytes)
        result = err_set(&err, ERR_DISK_FULL, "%s is nearly full", workspace);
    return judge(result, &err);
}

/* fatal: no waiting helps. */
static struct service_check check_broker(struct publisher *publisher, bool *fatal)
{
    struct err err = {0};
    int result = publisher_check(publisher, &err);
    *fatal = result && err.code == ERR_CONFIG;
    if (*fatal)
        return (struct service_check){.why = "the broker refuses our queues' arguments"};
    if (publisher_blocked(publisher))
        return (struct service_check){.why = "the broker takes no messages (connection.blocked)"};
    return (struct service_check){.ok = result == 0, .why = result ? "not connected" : NULL};
}

struct looker {
    struct api *api;
    struct arena *arena;
};

/* Jobs are accepted as long as the store is there: what else is missing only delays them, unless it
 * would be for ever. */
static struct readiness look(void *arg)
{
    const struct looker *looker = arg;
    const struct services *services = looker->api->services;
    struct err why = {0};
    bool hopeless;
    struct readiness ready = {
        .store = judge(store_ping(services->store, &why), &why),
        .broker = check_broker(services->publisher, &hopeless),
        .bucket = check_bucket(looker->api, looker->arena),
        .disk = check_disk(services),
    };
    ready.ready = ready.store.ok && !hopeless;
    return ready;
}

API_ANSWER(api_readyz)
{
    (void)in;
    (void)err;
    struct looker looker = {api, &request->arena};
    struct readiness *ready = out;
    *ready = ready_ask(api->services->ready, look, &looker);
    reply_document(request, ready->ready ? 200 : 503, &readiness_doc, ready);
    return 0;
}
