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
struct job_reader;
struct ready;
struct usage_desk;
struct watch;

/* Shared by every thread; unchanging but for `draining`. */
struct services {
    const struct gateway_settings *gateway;
    const struct fleet_settings *fleet;
    const struct bucket_settings *bucket;
    struct http_policy egress;
    const char *base_url; /* of absolute URLs, without a slash at the end */
    struct auth *auth;
    struct rate *rate, *refusals; /* refusals: of wrong credentials, per address */
    struct metrics *metrics;
    struct store *store;         /* for whoever waits for an answer */
    struct store *patient_store; /* for the reconciler and the indexes */
    struct publisher *publisher;
    struct committer *committer;
    struct job_reader *job_reader;
    struct reconcile *reconcile;
    struct ready *ready;
    struct usage_desk *usage_desk;
    struct watch *watch; /* services.c's own */
    atomic_bool draining;
};

/* As for the store: a bucket that hangs must not take every API thread. */
enum { MEDIA_BUCKET_MS = 2000 };

/* Other backends that objects lie in: gateway/media_place. */
struct media_places {
    struct bucket *at[BACKEND_NONE + 1];
    bool used[BACKEND_NONE + 1]; /* rows tell of it */
    int64_t looked_mono;
};

/* One thread's. */
struct api {
    struct services *services;
    struct bucket *bucket; /* opened at its first use (api_bucket) */
    struct media_places places;
};

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

#endif
