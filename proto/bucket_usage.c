/* The tables of storage usage. */
#include "proto/bucket_usage.h"

/* clang-format off */
static const struct field type_fields[] = {
    FIELD(usage_type, file_type, .names = file_type_names, .text = "Type, by the objects' keys."),
    FIELD(usage_type, size_bytes, .flags = FIELD_ALWAYS, .text = "Bytes of these objects."),
    FIELD(usage_type, object_count, .flags = FIELD_ALWAYS, .text = "Their number."),
};
const struct doc usage_type_doc = DOC(usage_type, type_fields);

static const struct field project_fields[] = {
    FIELD(usage_project, project_id, .text = "Project, by the objects' keys; absent: of keys that name none."),
    FIELD(usage_project, size_bytes, .flags = FIELD_ALWAYS, .text = "Bytes of its objects."),
    FIELD(usage_project, object_count, .flags = FIELD_ALWAYS, .text = "Their number."),
};
const struct doc usage_project_doc = DOC(usage_project, project_fields);

static const struct field record_fields[] = {
    FIELD(bucket_usage, id, .flags = FIELD_REQUIRED | FIELD_ID, .text = "Backend and bucket."),
    FIELD(bucket_usage, total_size_bytes, .flags = FIELD_ALWAYS, .text = "Bytes of all objects."),
    FIELD(bucket_usage, object_count, .flags = FIELD_ALWAYS, .text = "Number of objects."),
    FIELD(bucket_usage, multipart_uploads_open, .flags = FIELD_ALWAYS, .text = "Uploads begun and not completed."),
    FIELD_DOCS(bucket_usage, by_file_type, usage_type, .flags = FIELD_ALWAYS, .text = "By type, the largest first."),
    FIELD_DOCS(bucket_usage, by_project, usage_project, .flags = FIELD_ALWAYS, .text = "The 20 largest projects."),
    FIELD(bucket_usage, scanned_at, .flags = FIELD_TIME, .text = "When the scan ended."),
};
const struct doc bucket_usage_doc = DOC(bucket_usage, record_fields);

static const struct field day_fields[] = {
    FIELD(bucket_usage_day, id, .flags = FIELD_REQUIRED | FIELD_ID, .text = "Backend, bucket and day (UTC)."),
    FIELD(bucket_usage_day, scanned_at, .flags = FIELD_TIME, .text = "When the day's last scan ended."),
    FIELD(bucket_usage_day, total_size_bytes, .flags = FIELD_ALWAYS, .text = "Bytes of all objects."),
    FIELD(bucket_usage_day, object_count, .flags = FIELD_ALWAYS, .text = "Number of objects."),
    FIELD(bucket_usage_day, multipart_uploads_open, .flags = FIELD_ALWAYS, .text = "Uploads begun and not completed."),
    FIELD_DOCS(bucket_usage_day, by_file_type, usage_type, .flags = FIELD_ALWAYS, .text = "By type, the largest first."),
};
const struct doc bucket_usage_day_doc = DOC(bucket_usage_day, day_fields);

static const struct field search_fields[] = {
    FIELD(bucket_usage_search, refresh, .text = "Scan the bucket now, whatever is known."),
};
const struct doc bucket_usage_search_doc = DOC(bucket_usage_search, search_fields);

static const struct field view_fields[] = {
    FIELD(bucket_usage_view, success, .flags = FIELD_ALWAYS, .text = "true; false comes with code and detail instead."),
    FIELD(bucket_usage_view, total_size_bytes, .flags = FIELD_ALWAYS, .text = "Bytes of all objects."),
    FIELD(bucket_usage_view, total_size_gb, .flags = FIELD_ALWAYS, .text = "The same in units of 2^30 bytes, to two decimals."),
    FIELD(bucket_usage_view, object_count, .flags = FIELD_ALWAYS, .text = "Number of objects."),
    FIELD(bucket_usage_view, last_updated, .flags = FIELD_TIME, .text = "When the bucket was scanned."),
    FIELD_DOCS(bucket_usage_view, by_file_type, usage_type, .flags = FIELD_ALWAYS, .text = "By type, the largest first."),
    FIELD_DOCS(bucket_usage_view, by_project, usage_project, .flags = FIELD_ALWAYS, .text = "The 20 largest projects."),
    FIELD(bucket_usage_view, estimated_monthly_cost_usd, .flags = FIELD_ALWAYS, .text = "Of this size for a month, requests left out."),
    FIELD(bucket_usage_view, multipart_uploads_open, .flags = FIELD_ALWAYS, .text = "Uploads begun and not completed; their parts cost, too."),
};
const struct doc bucket_usage_view_doc = DOC(bucket_usage_view, view_fields);

static const struct field failure_fields[] = {
    FIELD(bucket_usage_failure, success, .flags = FIELD_ALWAYS, .text = "false."),
    FIELD(bucket_usage_failure, code, .text = "storage-disabled, storage-permission-denied, storage-bucket-missing, storage-timeout or another error code."),
    FIELD(bucket_usage_failure, detail, .text = "What went wrong, for people."),
};
const struct doc bucket_usage_failure_doc = DOC(bucket_usage_failure, failure_fields);

static const struct field history_search_fields[] = {
    FIELD(usage_history_search, days, .min = 1, .max = USAGE_DAYS_MAX, .text = "How many days back; 90 unless told."),
};
const struct doc usage_history_search_doc = DOC(usage_history_search, history_search_fields);

static const struct field day_view_fields[] = {
    FIELD(usage_day_view, day, .flags = FIELD_REQUIRED, .text = "2026-02-03, UTC."),
    FIELD(usage_day_view, total_size_bytes, .flags = FIELD_ALWAYS, .text = "Bytes of all objects at the day's last scan."),
    FIELD(usage_day_view, object_count, .flags = FIELD_ALWAYS, .text = "Number of objects."),
    FIELD(usage_day_view, multipart_uploads_open, .flags = FIELD_ALWAYS, .text = "Uploads begun and not completed."),
    FIELD_DOCS(usage_day_view, by_file_type, usage_type, .flags = FIELD_ALWAYS, .text = "By type, the largest first."),
};
const struct doc usage_day_view_doc = DOC(usage_day_view, day_view_fields);

static const struct field history_fields[] = {
    FIELD_DOCS(usage_history, days, usage_day_view, .flags = FIELD_ALWAYS, .text = "Days on which there was a scan, the first one first."),
};
const struct doc usage_history_doc = DOC(usage_history, history_fields);
/* clang-format on */
