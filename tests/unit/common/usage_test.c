/* The last scan and the days in a real store. Skipped without MONGODB_URL. */
#include "common/usage.h"

#include "common/clock.h"
#include "fake_listing.h"
#include "store_fixture.h"

static struct store *store;
static struct arena arena;
static struct err err;
static char name[ID_OID_LEN + 1];
static size_t objects;

const char *bucket_name(const struct bucket *bucket)
{
    (void)bucket;
    return name;
}

static bool some(size_t i, struct object *out, struct arena *page)
{
    if (i >= objects)
        return false;
    *out = (struct object){.key = arena_printf(page, "projects/p/scenes/s/%05zu.m4s", i),
                           .size_bytes = 10};
    return true;
}

static struct bucket_usage last(void)
{
    struct bucket_usage usage;
    CHECK_INT(usage_last(store, NULL, &arena, &usage, &err), 0);
    return usage;
}

static void shrinks_to_nothing(void)
{
    struct bucket_usage usage;
    CHECK_INT(last().scanned_at, 0);
    fake_listing.object = some;
    objects = 1500;
    fake_listing.uploads = 2;
    CHECK_INT(usage_snapshot(store, NULL, NULL, &arena, &usage, &err), 0);
    CHECK_INT(last().object_count, 1500);
    CHECK_INT(last().total_size_bytes, 15000);
    CHECK_INT(last().multipart_uploads_open, 2);
    CHECK_INT(last().by_file_type.len, 1);
    CHECK_STR(last().by_project.at[0].project_id, "p");
    int64_t first = last().scanned_at;
    objects = 0;
    fake_listing.uploads = 0;
    CHECK_INT(usage_snapshot(store, NULL, NULL, &arena, &usage, &err), 0);
    CHECK_INT(last().object_count, 0);
    CHECK_INT(last().total_size_bytes, 0);
    CHECK_INT(last().multipart_uploads_open, 0);
    CHECK_INT(last().by_file_type.len, 0);
    CHECK_INT(last().by_project.len, 0);
    CHECK(last().scanned_at >= first);
}

static void a_failed_scan_changes_nothing(void)
{
    struct bucket_usage usage;
    int64_t before = last().scanned_at;
    objects = 5;
    fake_listing.pages = 0;
    fake_listing.fail_at = 1;
    CHECK_INT(usage_snapshot(store, NULL, NULL, &arena, &usage, &err), -1);
    CHECK_INT(err.code, ERR_STORAGE_TIMEOUT);
    fake_listing.fail_at = 0;
    CHECK_INT(last().scanned_at, before);
}

static void put_day(int64_t ago, int64_t bytes)
{
    char time[CLOCK_RFC3339_LEN + 1];
    clock_format(clock_now_ms() - ago * 86400000, time);
    const struct bucket_usage_day day = {.id = arena_printf(&arena, "fake/%s/%.10s", name, time),
                                         .scanned_at = clock_now_ms() - ago * 86400000,
                                         .total_size_bytes = bytes};
    CHECK_INT(
        store_upsert_many(store, BUCKET_USAGE_DAY_COLLECTION, &bucket_usage_day_doc, &day, 1, &err),
        0);
}

static void days_are_told_in_order(void)
{
    struct bucket_usage_day *days;
    size_t len;
    for (int64_t ago = 1; ago <= 10; ago += 3) /* 1, 4, 7, 10 */
        put_day(ago, ago);
    CHECK_INT(usage_days(store, NULL, 8, &arena, &days, &len, &err), 0);
    CHECK_INT(len, 4);
    CHECK_INT(days[0].total_size_bytes, 7);
    CHECK_INT(days[2].total_size_bytes, 1);
    CHECK_INT(days[3].total_size_bytes, 0); /* today's, of the last scan */
    CHECK_INT(usage_days(store, NULL, 1, &arena, &days, &len, &err), 0);
    CHECK_INT(len, 1);
    CHECK_INT(usage_days(store, NULL, 90, &arena, &days, &len, &err), 0);
    CHECK_INT(len, 5);
}

int main(void)
{
    const char *url = fixture_url();
    if (!url)
        return 0;
    store = fixture_open(url);
    fixture_oid(name);
    RUN(shrinks_to_nothing);
    RUN(a_failed_scan_changes_nothing);
    RUN(days_are_told_in_order);
    store_free(store);
    arena_release(&arena);
    return 0;
}
