/* How much lies in the bucket: what is counted, kept and told. */
#ifndef PROTO_BUCKET_USAGE_H
#define PROTO_BUCKET_USAGE_H

#include "proto/file_path.h"

#define BUCKET_USAGE_COLLECTION "bucket_usage"
#define BUCKET_USAGE_DAY_COLLECTION "bucket_usage_days"
enum { USAGE_PROJECTS_MAX = 20, USAGE_DAYS_MAX = 3660 };
#define USAGE_FRESH_MS INT64_C(300000) /* so long a scan is told without another one */

struct usage_type {
    enum file_type file_type;
    int64_t size_bytes, object_count;
};
struct usage_types {
    struct usage_type *at;
    size_t len;
};
struct usage_project {
    const char *project_id; /* NULL: of keys that name none */
    int64_t size_bytes, object_count;
};
struct usage_projects {
    struct usage_project *at;
    size_t len;
};

/* The last scan of a bucket, for all gateways. */
struct bucket_usage {
    const char *id; /* "<backend>/<bucket>" */
    int64_t total_size_bytes, object_count, multipart_uploads_open;
    struct usage_types by_file_type;   /* the largest first */
    struct usage_projects by_project; /* the USAGE_PROJECTS_MAX largest */
    int64_t scanned_at;               /* 0: never */
};
/* The last scan of each day. */
struct bucket_usage_day {
    const char *id; /* "<backend>/<bucket>/<2026-02-03>" */
    int64_t scanned_at, total_size_bytes, object_count, multipart_uploads_open;
    struct usage_types by_file_type;
};

/* GET /api/admin/r2-storage-usage/ */
struct bucket_usage_search {
    bool refresh;
};
struct bucket_usage_view {
    bool success;
    int64_t total_size_bytes;
    double total_size_gb; /* of 2^30 bytes, two decimals */
    int64_t object_count, last_updated;
    struct usage_types by_file_type;
    struct usage_projects by_project;
    double estimated_monthly_cost_usd;
    int64_t multipart_uploads_open;
};
struct bucket_usage_failure {
    bool success; /* never */
    const char *code, *detail;
};
/* GET /api/v1/storage/history */
struct usage_history_search {
    int64_t days;
};
struct usage_day_view {
    const char *day;
    int64_t total_size_bytes, object_count, multipart_uploads_open;
    struct usage_types by_file_type;
};
struct usage_history {
    struct { struct usage_day_view *at; size_t len; } days;
};

extern const struct doc usage_type_doc, usage_project_doc, bucket_usage_doc, bucket_usage_day_doc,
    bucket_usage_search_doc, bucket_usage_view_doc, bucket_usage_failure_doc, usage_history_search_doc,
    usage_day_view_doc, usage_history_doc;

#endif
