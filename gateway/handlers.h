/* The handlers: one row of handlers[] for each row of routes[]. */
#ifndef GATEWAY_HANDLERS_H
#define GATEWAY_HANDLERS_H

#include "gateway/api.h"

enum { API_PARKED = 1 };

/* Documents are decoded before and encoded after. */
struct handler {
    /* `in` is the request's or the query's document, `out` the zeroed answer. A handler of a route
     * without a response document, or one that answers otherwise (304, 503), fills request->reply
     * itself. API_PARKED: the request is somebody else's now, who will call request->done. */
    int (*answer)(struct api *api, struct request *request, const void *in, void *out,
                  struct err *err);
    /* Makes a job: fills in what it is about; the scene's id stays NULL if it writes none. */
    int (*plan)(struct api *api, struct request *request, const void *in, struct job *job,
                struct scene *scene, struct err *err);
    bool waits;   /* for the store or the bucket: not on a lane */
    bool patient; /* has time limits of its own, not REQUEST_ANSWER_MS */
};
extern const struct handler handlers[ROUTE_COUNT];

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
API_ANSWER(api_project_delete);
API_ANSWER(api_project_files);
API_ANSWER(api_project_cleanup);
API_ANSWER(api_media);
API_ANSWER(api_quota);
API_ANSWER(api_quota_put);
API_ANSWER(api_bucket_usage);
API_ANSWER(api_usage_history);
API_ANSWER(api_ledger_usage);
API_PLAN(api_hello);
API_PLAN(api_media_store);
API_PLAN(api_job_retry);
API_PLAN(api_storage_reconcile);
API_PLAN(api_storage_migrate);
API_PLAN(api_storage_duplicates);
API_PLAN(api_storage_cleanup);
API_ANSWER(api_storage_lifecycle);

#endif
