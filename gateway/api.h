/* What handlers work with, and the handlers themselves: one row of handlers[] for each row of
 * routes[]. */
#ifndef GATEWAY_API_H
#define GATEWAY_API_H

#include <stdatomic.h>

#include "common/bucket.h"
#include "common/http_guard.h"
#include "common/publisher.h"
#include "common/reconcile.h"
#include "common/store.h"
#include "gateway/auth.h"
#include "gateway/metrics.h"
#include "gateway/rate.h"
#include "gateway/request.h"
#include "proto/job.h"
#include "proto/scene.h"
#include "proto/settings.h"

struct committer;
struct preparation;

/* Shared by every thread; unchanging but for `draining`. */
struct services {
    const struct gateway_settings *gateway;
    const struct fleet_settings *fleet;
    const struct bucket_settings *bucket;
    struct http_policy egress;
    const char *base_url; /* of absolute URLs, without a slash at the end */
    struct auth *auth;
    struct rate *rate;
    struct metrics *metrics;
    struct store *store;
    struct publisher *publisher;
    struct committer *committer;
    struct reconcile *reconcile;
    struct preparation *preparation; /* services.c's own */
    atomic_bool draining;
};

/* One thread's. */
struct api {
    struct services *services;
    struct bucket *bucket; /* opened at its first use (api_bucket) */
};

/* Documents are decoded before and encoded after. */
struct handler {
    /* `in` is the request's or the query's document, `out` the zeroed answer. A handler of a route
     * without a response document, or one that answers otherwise (304, 503), fills request->reply
     * itself. */
    int (*answer)(struct api *api, struct request *request, const void *in, void *out,
                  struct err *err);
    /* Makes a job: fills in what it is about; the scene's id stays NULL if it writes none. */
    int (*plan)(struct api *api, struct request *request, const void *in, struct job *job,
                struct scene *scene, struct err *err);
    bool waits; /* for the store or the bucket: not on a lane */
};
extern const struct handler handlers[ROUTE_COUNT];

int api_bucket(struct api *api, struct bucket **out, struct err *err);
void api_release(struct api *api);

/* The request's job, if it is of its tenant. ERR_INVALID_ID, ERR_JOB_NOT_FOUND. */
int api_find_job(struct api *api, struct request *request, struct job *out, struct err *err);
/* A URL of an object, absolute; NULL if media has none. */
const char *api_media_url(const struct services *services, struct arena *arena, const char *key);
/* Every worker's last beat. */
struct worker_beat;
int api_worker_beats(struct api *api, struct arena *arena, struct worker_beat **out, size_t *len,
                     struct err *err);

#define API_ANSWER(name)                                                                           \
    int name(struct api *api, struct request *request, const void *in, void *out, struct err *err)
#define API_PLAN(name)                                                                             \
    int name(struct api *api, struct request *request, const void *in, struct job *job,            \
             struct scene *scene, struct err *err)
API_ANSWER(api_healthz);
API_ANSWER(api_readyz);
API_ANSWER(api_metrics);
API_ANSWER(api_openapi);
API_ANSWER(api_job);
API_ANSWER(api_jobs);
API_ANSWER(api_job_cancel);
API_ANSWER(api_scene);
API_ANSWER(api_workers);
API_ANSWER(api_queues);
API_ANSWER(api_media);
API_PLAN(api_hello);
API_PLAN(api_media_store);
API_PLAN(api_job_retry);

#endif
