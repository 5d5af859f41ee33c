/* The handler of each route. */
#include "gateway/handlers.h"

const struct handler handlers[ROUTE_COUNT] = {
    [ROUTE_HEALTHZ] = {.answer = api_healthz},
    [ROUTE_READYZ] = {.answer = api_readyz, .waits = true},
    [ROUTE_METRICS] = {.answer = api_metrics, .waits = true},
    [ROUTE_OPENAPI] = {.answer = api_openapi},
    [ROUTE_MEDIA_STORE] = {.plan = api_media_store, .waits = true},
    [ROUTE_HELLO] = {.plan = api_hello},
    [ROUTE_JOBS] = {.answer = api_jobs, .waits = true},
    [ROUTE_JOB] = {.answer = api_job, .waits = true},
    [ROUTE_JOB_CANCEL] = {.answer = api_job_cancel, .waits = true},
    [ROUTE_JOB_RETRY] = {.plan = api_job_retry, .waits = true},
    [ROUTE_SCENE] = {.answer = api_scene, .waits = true},
    [ROUTE_WORKERS] = {.answer = api_workers, .waits = true},
    [ROUTE_QUEUES] = {.answer = api_queues, .waits = true},
    [ROUTE_QUOTA] = {.answer = api_quota, .waits = true},
    [ROUTE_QUOTA_PUT] = {.answer = api_quota_put, .waits = true},
    [ROUTE_BUCKET_USAGE] = {.answer = api_bucket_usage, .waits = true, .patient = true},
    [ROUTE_USAGE_HISTORY] = {.answer = api_usage_history, .waits = true},
    [ROUTE_LEDGER_USAGE] = {.answer = api_ledger_usage, .waits = true},
    [ROUTE_PROJECT_DELETE] = {.answer = api_project_delete, .waits = true},
    [ROUTE_PROJECT_FILES] = {.answer = api_project_files, .waits = true},
    [ROUTE_PROJECT_CLEANUP] = {.answer = api_project_cleanup, .waits = true},
    [ROUTE_MEDIA] = {.answer = api_media, .waits = true, .patient = true},
};
