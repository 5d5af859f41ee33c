/* The routes, and how a path is held against a row's. */
#include "proto/route.h"

#include <string.h>

#include "proto/answer.h"
#include "proto/bucket_usage.h"
#include "proto/fleet_view.h"
#include "proto/hello.h"
#include "proto/ledger_usage.h"
#include "proto/project_quota.h"
#include "proto/project_view.h"
#include "proto/lifecycle.h"
#include "proto/scene_view.h"
#include "proto/storage_job.h"

const char *const role_names[] = {NULL, "viewer", "operator", "admin", NULL};

const struct route routes[ROUTE_COUNT] = {
    [ROUTE_HEALTHZ] = {.method = "GET",
                       .path = "/healthz",
                       .status = 200,
                       .response = &health_doc,
                       .text = "Answers while the event loop lives."},
    [ROUTE_READYZ] =
        {.method = "GET",
         .path = "/readyz",
         .status = 200,
         .response = &readiness_doc,
         .text = "Tells each service the gateway needs; 503 when jobs cannot be accepted."},
    [ROUTE_METRICS] =
        {.method = "GET",
         .path = "/metrics",
         .role = ROLE_VIEWER,
         .status = 200,
         .content_type = "text/plain; version=0.0.4; charset=utf-8",
         .text = "Prometheus' text format: the gateway's counters and the workers' summed up."},
    [ROUTE_OPENAPI] = {.method = "GET",
                       .path = "/openapi.json",
                       .status = 200,
                       .content_type = "application/json",
                       .text = "This description."},
    [ROUTE_MEDIA_STORE] = {.method = "POST",
                           .path = "/api/v1/media/store",
                           .role = ROLE_OPERATOR,
                           .flags = ROUTE_MAKES_JOB,
                           .status = 202,
                           .request = &media_store_doc,
                           .response = &accepted_doc,
                           .text =
                               "Stores the media behind a URL: download, HLS, thumbnails, upload."},
    [ROUTE_HELLO] = {.method = "POST",
                     .path = "/api/v1/debug/hello",
                     .role = ROLE_OPERATOR,
                     .flags = ROUTE_MAKES_JOB,
                     .status = 202,
                     .request = &hello_params_doc,
                     .response = &accepted_doc,
                     .text = "A job that sleeps and ends as told, to try the fleet."},
    [ROUTE_JOBS] = {.method = "GET",
                    .path = "/api/v1/jobs",
                    .role = ROLE_VIEWER,
                    .status = 200,
                    .query = &job_search_doc,
                    .response = &job_page_doc,
                    .text = "The tenant's jobs, the newest first, without their tasks and logs."},
    [ROUTE_JOB] = {.method = "GET",
                   .path = "/api/v1/jobs/{id}",
                   .role = ROLE_VIEWER,
                   .status = 200,
                   .response = &job_view_doc,
                   .text = "A job and its progress; If-None-Match makes polling cheap."},
    [ROUTE_JOB_CANCEL] = {.method = "POST",
                          .path = "/api/v1/jobs/{id}/cancel",
                          .role = ROLE_OPERATOR,
                          .status = 202,
                          .response = &job_view_doc,
                          .text =
                              "Stops a job: nothing more starts, running tasks are interrupted."},
    [ROUTE_JOB_RETRY] = {.method = "POST",
                         .path = "/api/v1/jobs/{id}/retry",
                         .role = ROLE_OPERATOR,
                         .flags = ROUTE_MAKES_JOB,
                         .status = 202,
                         .response = &accepted_doc,
                         .text = "Asks for the same again, as a new job."},
    [ROUTE_SCENE] = {.method = "GET",
                     .path = "/api/v1/scenes/{mongo_db_id}",
                     .role = ROLE_VIEWER,
                     .status = 200,
                     .response = &scene_view_doc,
                     .text = "A media record with signed URLs."},
    [ROUTE_WORKERS] = {.method = "GET",
                       .path = "/api/v1/workers",
                       .role = ROLE_VIEWER,
                       .status = 200,
                       .response = &worker_page_doc,
                       .text = "The workers' last beats."},
    [ROUTE_QUEUES] = {.method = "GET",
                      .path = "/api/v1/queues",
                      .role = ROLE_VIEWER,
                      .status = 200,
                      .response = &queue_page_doc,
                      .text = "What waits for which kind of worker."},
    [ROUTE_QUOTA] = {.method = "GET",
                     .path = "/api/v1/projects/{project_id}/quota",
                     .role = ROLE_VIEWER,
                     .status = 200,
                     .response = &project_quota_view_doc,
                     .text = "How much a project may store, and how much it does."},
    [ROUTE_QUOTA_PUT] = {.method = "PUT",
                         .path = "/api/v1/projects/{project_id}/quota",
                         .role = ROLE_ADMIN,
                         .status = 200,
                         .request = &project_quota_doc,
                         .response = &project_quota_view_doc,
                         .text = "Sets a project's own quota."},
    [ROUTE_BUCKET_USAGE] = {.method = "GET",
                            .path = "/api/admin/r2-storage-usage/",
                            .role = ROLE_ADMIN,
                            .status = 200,
                            .query = &bucket_usage_search_doc,
                            .response = &bucket_usage_view_doc,
                            .text =
                                "What lies in the bucket, by a scan at most 5 minutes old; with "
                                "refresh=true by a new one."},
    [ROUTE_USAGE_HISTORY] = {.method = "GET",
                             .path = "/api/v1/storage/history",
                             .role = ROLE_ADMIN,
                             .status = 200,
                             .query = &usage_history_search_doc,
                             .response = &usage_history_doc,
                             .text = "What lay in the bucket, day by day."},
    [ROUTE_LEDGER_USAGE] = {.method = "GET",
                            .path = "/api/v1/storage/usage",
                            .role = ROLE_VIEWER,
                            .status = 200,
                            .query = &ledger_usage_search_doc,
                            .response = &ledger_usage_doc,
                            .text = "What the tenant stores, as the ledger has it."},
    [ROUTE_PROJECT_DELETE] = {.method = "DELETE",
                              .path = "/api/v1/projects/{project_id}",
                              .alias = "/projects/{project_id}",
                              .role = ROLE_OPERATOR,
                              .status = 204,
                              .text = "Deletes a project for ever: its jobs stop, its scenes go at "
                                      "once, its objects and rows soon after; again is the same."},
    [ROUTE_PROJECT_FILES] = {.method = "GET",
                             .path = "/api/v1/debug/r2-file-paths/{project_id}",
                             .role = ROLE_VIEWER,
                             .status = 200,
                             .query = &file_search_doc,
                             .response = &file_page_doc,
                             .text = "Every tracked file of a project."},
    [ROUTE_PROJECT_CLEANUP] =
        {.method = "POST",
         .path = "/api/v1/debug/cleanup-project/{project_id}",
         .role = ROLE_OPERATOR,
         .status = 200,
         .query = &cleanup_request_doc,
         .response = &cleanup_preview_doc,
         .text = "Tells what cleaning up a project would delete; with dry_run=false does it: 202 "
                 "and a job. The project itself stays."},
    [ROUTE_MEDIA] = {.method = "GET",
                     .path = "/media/{grant}/{key…}",
                     .flags = ROUTE_SIGNED,
                     .status = 200,
                     .content_type = "application/octet-stream",
                     .text = "An object of the bucket; the grant is \"<expires>.<signature>\" over "
                             "its job's prefix."},
    [ROUTE_STORAGE_RECONCILE] = {.method = "POST",
                                 .path = "/api/v1/storage/reconcile",
                                 .role = ROLE_ADMIN,
                                 .flags = ROUTE_MAKES_JOB,
                                 .status = 202,
                                 .request = &storage_reconcile_doc,
                                 .response = &accepted_doc,
                                 .text = "Compares the whole bucket with its rows, of all tenants; "
                                         "adopts, deletes and forgets as told."},
    [ROUTE_STORAGE_MIGRATE] =
        {.method = "POST",
         .path = "/api/v1/storage/migrate",
         .role = ROLE_ADMIN,
         .flags = ROUTE_MAKES_JOB,
         .status = 202,
         .request = &storage_migrate_doc,
         .response = &accepted_doc,
         .text = "Takes objects from one backend to another, verified, while they are read."},
    [ROUTE_STORAGE_DUPLICATES] = {.method = "POST",
                                  .path = "/api/v1/storage/duplicates",
                                  .role = ROLE_ADMIN,
                                  .flags = ROUTE_MAKES_JOB,
                                  .status = 202,
                                  .request = &storage_duplicates_doc,
                                  .response = &accepted_doc,
                                  .text = "Counts objects of the same content, and what one of "
                                          "each would save."},
    [ROUTE_STORAGE_CLEANUP] =
        {.method = "POST",
         .path = "/api/v1/storage/cleanup",
         .role = ROLE_ADMIN,
         .flags = ROUTE_MAKES_JOB,
         .status = 202,
         .request = &storage_expire_doc,
         .response = &accepted_doc,
         .text = "Removes what nobody needs any more: records past their time, rows and objects of "
                 "failed uploads, unfinished uploads, directories of the workspace."},
    [ROUTE_STORAGE_LIFECYCLE] = {.method = "POST",
                                 .path = "/api/v1/storage/lifecycle",
                                 .role = ROLE_ADMIN,
                                 .status = 200,
                                 .request = &lifecycle_ask_doc,
                                 .response = &lifecycle_doc,
                                 .text = "Tells the bucket's own rules of expiry; with apply sets "
                                         "mediafleet's and keeps all others."},
};

/* A segment is what lies between slashes. */
static size_t segment_len(const char *at)
{
    return strcspn(at, "/");
}

static bool capture_segment(const char *pattern, size_t pattern_len, const char *path,
                            size_t path_len, struct capture *captures, size_t *len)
{
    static const char rest[] = "…";
    size_t name_len = pattern_len - 2;
    bool takes_rest =
        name_len > sizeof rest - 1 &&
        memcmp(pattern + 1 + name_len - (sizeof rest - 1), rest, sizeof rest - 1) == 0;
    if (path_len == 0 || *len == ROUTE_CAPTURES_MAX)
        return false;
    captures[(*len)++] = (struct capture){
        .name = pattern + 1,
        .name_len = takes_rest ? name_len - (sizeof rest - 1) : name_len,
        .at = path,
        .len = takes_rest ? strlen(path) : path_len,
    };
    return true;
}

bool route_match(const char *pattern, const char *path, struct capture *captures, size_t *len)
{
    *len = 0;
    while (*pattern == '/' && pattern[1] != '\0' && *path == '/') {
        size_t pattern_len = segment_len(++pattern), path_len = segment_len(++path);
        if (pattern[0] == '{') {
            if (!capture_segment(pattern, pattern_len, path, path_len, captures, len))
                return false;
            path_len = captures[*len - 1].len;
        } else if (pattern_len != path_len || memcmp(pattern, path, path_len) != 0) {
            return false;
        }
        pattern += pattern_len;
        path += path_len;
    }
    return (*pattern == '\0' || strcmp(pattern, "/") == 0) &&
           (*path == '\0' || strcmp(path, "/") == 0);
}
