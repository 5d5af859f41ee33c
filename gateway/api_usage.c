/* How much is stored: in the bucket, day by day, and by the ledger. */
#include <string.h>

#include "common/clock.h"
#include "common/usage.h"
#include "gateway/handlers.h"
#include "gateway/usage_desk.h"
#include "gateway/usage_reply.h"
#include "proto/ledger_usage.h"

enum { ROWS = 100, DAYS = 90, DAY_LEN = 10 };

/* Media that stay on the disk for want of a bucket are nobody's bill. */
static int open_bucket(struct api *api, struct bucket **out, struct err *err)
{
    if (bucket_settings_backend(api->services->bucket) == BACKEND_NONE)
        return err_set(err, ERR_STORAGE_DISABLED, "no storage backend is configured");
    return api_bucket(api, out, err);
}

/* What is known is told at once; a scan has the desk's thread and the desk's time. */
API_ANSWER(api_bucket_usage)
{
    (void)out;
    const struct bucket_usage_search *search = in;
    struct services *services = api->services;
    struct bucket *bucket;
    struct bucket_usage usage;
    struct err why = {0};
    if (open_bucket(api, &bucket, &why) ||
        usage_last(services->store, bucket, &request->arena, &usage, &why)) {
        usage_reply_failure(request, &why);
        return 0;
    }
    if (!search->refresh && usage.scanned_at + USAGE_FRESH_MS > clock_now_ms()) {
        usage_reply(request, services->gateway, &usage);
        return 0;
    }
    return usage_desk_park(services->usage_desk, request, usage.scanned_at, err) ? -1 : API_PARKED;
}

API_ANSWER(api_usage_history)
{
    const struct usage_history_search *search = in;
    struct usage_history *history = out;
    struct bucket *bucket;
    struct bucket_usage_day *days;
    size_t len;
    if (open_bucket(api, &bucket, err) ||
        usage_days(api->services->store, bucket, search->days ? search->days : DAYS,
                   &request->arena, &days, &len, err))
        return -1;
    history->days.len = len;
    history->days.at = arena_alloc_array(&request->arena, len, sizeof *history->days.at);
    for (size_t i = 0; i < len; i++)
        history->days.at[i] = (struct usage_day_view){
            .day = days[i].id + strlen(days[i].id) - DAY_LEN,
            .total_size_bytes = days[i].total_size_bytes,
            .object_count = days[i].object_count,
            .multipart_uploads_open = days[i].multipart_uploads_open,
            .by_file_type = days[i].by_file_type,
        };
    return 0;
}

static int sum(struct api *api, struct request *request, const struct ledger_usage_search *search,
               const char *by, size_t limit, struct store_sum **rows, size_t *len, struct err *err)
{
    const struct file_path filter = {.tenant = request->who.tenant,
                                     .project_id = search->project_id},
                           going = {.state = FILE_DELETING};
    const struct store_sums query = {
        .filter = &filter, .except = &going, .by = by, .sum = "size_bytes", .limit = limit};
    return store_sum_of(api->services->store, FILE_PATH_COLLECTION, &file_path_doc, &query,
                        &request->arena, rows, len, err);
}

/* What is being deleted counts no more, what is being uploaded does already. */
API_ANSWER(api_ledger_usage)
{
    static const char *const fields[] = {NULL, "project_id", "user_id", "file_type"};
    const struct ledger_usage_search *search = in;
    struct ledger_usage *usage = out;
    size_t len, limit = search->limit ? (size_t)search->limit : ROWS;
    struct store_sum *rows;
    if (sum(api, request, search, NULL, 1, &rows, &len, err))
        return -1;
    usage->total_size_bytes = len ? rows[0].total : 0;
    usage->object_count = len ? rows[0].count : 0;
    if (search->by == USAGE_TOTAL)
        return 0;
    if (sum(api, request, search, fields[search->by], limit + 1, &rows, &len, err))
        return -1;
    usage->more = len > limit;
    usage->rows.len = usage->more ? limit : len;
    usage->rows.at = arena_alloc_array(&request->arena, usage->rows.len, sizeof *usage->rows.at);
    for (size_t i = 0; i < usage->rows.len; i++)
        usage->rows.at[i] = (struct ledger_usage_row){
            .key = rows[i].key, .size_bytes = rows[i].total, .object_count = rows[i].count};
    return 0;
}
