/* From the scan to the page that shows it. */
#include "gateway/usage_reply.h"

#include <math.h>

#define GIB 1073741824.0
#define GB 1e9 /* what is paid for */

static double two_decimals(double value)
{
    return round(value * 100) / 100;
}

/* Of so many bytes for a month: price times what is beyond the free part. */
static double cost(const struct gateway_settings *settings, int64_t bytes)
{
    double paid = (double)bytes / GB - (double)settings->storage_free_gb;
    return paid > 0 ? two_decimals(paid * settings->storage_price_usd) : 0;
}

void usage_reply(struct request *request, const struct gateway_settings *settings,
                 const struct bucket_usage *usage)
{
    const struct bucket_usage_view view = {
        .success = true,
        .total_size_bytes = usage->total_size_bytes,
        .total_size_gb = two_decimals((double)usage->total_size_bytes / GIB),
        .object_count = usage->object_count,
        .last_updated = usage->scanned_at,
        .by_file_type = usage->by_file_type,
        .by_project = usage->by_project,
        .estimated_monthly_cost_usd = cost(settings, usage->total_size_bytes),
        .multipart_uploads_open = usage->multipart_uploads_open,
    };
    reply_document(request, 200, &bucket_usage_view_doc, &view);
}

/* Pages know these by names that say what is to be done; NULL: not the bucket's fault. */
static const char *code_of(enum error code)
{
    switch (code) {
    case ERR_STORAGE_AUTH:
        return "storage-permission-denied";
    case ERR_STORAGE_BUCKET:
        return "storage-bucket-missing";
    case ERR_STORAGE_DISABLED:
    case ERR_STORAGE_TIMEOUT:
    case ERR_STORAGE_UNAVAILABLE:
    case ERR_CLOCK_SKEW:
        return error_name(code);
    default:
        return NULL;
    }
}

void usage_reply_failure(struct request *request, const struct err *err)
{
    const char *code = code_of(err->code);
    reply_problem(request, err); /* for the log, and Retry-After */
    if (!code)
        return;
    const struct bucket_usage_failure failure = {.code = code, .detail = reply_detail(err)};
    reply_document(request, error_status(err->code), &bucket_usage_failure_doc, &failure);
}
