/* One record a bucket, one a day. */
#include "common/usage.h"

#include "common/clock.h"

enum { DAY_LEN = 10 };
#define DAY_MS INT64_C(86400000)

static const char *id_of(const struct bucket *bucket, struct arena *arena)
{
    return arena_printf(arena, "%s/%s", bucket_backend(bucket), bucket_name(bucket));
}

static const char *day_id(const char *id, int64_t ms, struct arena *arena)
{
    char time[CLOCK_RFC3339_LEN + 1];
    clock_format(ms, time);
    return arena_printf(arena, "%s/%.*s", id, DAY_LEN, time);
}

int usage_last(struct store *store, const struct bucket *bucket, struct arena *arena,
               struct bucket_usage *out, struct err *err)
{
    const struct bucket_usage filter = {.id = id_of(bucket, arena)};
    *out = (struct bucket_usage){0};
    if (store_get(store, BUCKET_USAGE_COLLECTION, &bucket_usage_doc, &filter, arena, out, err) == 0)
        return 0;
    if (err->code != ERR_NOT_FOUND)
        return -1;
    *err = (struct err){0};
    out->id = filter.id;
    return 0;
}

static int save(struct store *store, const struct bucket_usage *usage, struct arena *arena,
                struct err *err)
{
    struct bucket_usage_day day = {
        .id = day_id(usage->id, usage->scanned_at, arena),
        .scanned_at = usage->scanned_at,
        .total_size_bytes = usage->total_size_bytes,
        .object_count = usage->object_count,
        .multipart_uploads_open = usage->multipart_uploads_open,
        .by_file_type = usage->by_file_type,
    };
    if (store_upsert_many(store, BUCKET_USAGE_COLLECTION, &bucket_usage_doc, usage, 1, err))
        return -1;
    return store_upsert_many(store, BUCKET_USAGE_DAY_COLLECTION, &bucket_usage_day_doc, &day, 1,
                             err);
}

const char *usage_lease_id(const struct bucket *bucket, struct arena *arena)
{
    return arena_printf(arena, "bucket-usage/%s", id_of(bucket, arena));
}

int usage_snapshot(struct store *store, struct bucket *bucket, const struct usage_watch *watch,
                   struct arena *arena, struct bucket_usage *out, struct err *err)
{
    *out = (struct bucket_usage){.id = id_of(bucket, arena)};
    if (usage_scan(bucket, watch, arena, out, err))
        return -1;
    out->scanned_at = clock_now_ms();
    return save(store, out, arena, err);
}

int usage_days(struct store *store, const struct bucket *bucket, int64_t days, struct arena *arena,
               struct bucket_usage_day **out, size_t *len, struct err *err)
{
    const char *id = id_of(bucket, arena);
    const char *before = day_id(id, clock_now_ms() - days * DAY_MS, arena);
    const struct store_page page = {
        .after = before, .limit = (size_t)days + 1, .prefix = arena_printf(arena, "%s/", id)};
    void *found;
    if (store_find(store, BUCKET_USAGE_DAY_COLLECTION, &bucket_usage_day_doc, &page, arena, &found,
                   len, err))
        return -1;
    *out = found;
    return 0;
}
