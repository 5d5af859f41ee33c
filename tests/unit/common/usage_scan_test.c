/* Counting a bucket that is made up as it is listed. */
#include "common/usage_scan.h"

#include "fake_listing.h"

#define JOB "01J00000000000000000000000"

enum { MANY = 250000, OF_ONE = 7 };

static struct arena arena;
static struct err err;

static struct bucket_usage scan(const struct usage_watch *watch, int expected)
{
    struct bucket_usage usage = {0};
    fake_listing.pages = 0;
    fake_listing.most_bytes = 0;
    err = (struct err){0};
    CHECK_INT(usage_scan(NULL, watch, &arena, &usage, &err), expected);
    return usage;
}

static bool nothing(size_t i, struct object *out, struct arena *page)
{
    (void)i, (void)out, (void)page;
    return false;
}

static void an_empty_bucket_is_empty(void)
{
    fake_listing.object = nothing;
    struct bucket_usage usage = scan(NULL, 0);
    CHECK_INT(usage.total_size_bytes, 0);
    CHECK_INT(usage.object_count, 0);
    CHECK_INT(usage.by_file_type.len, 0);
    CHECK_INT(usage.by_project.len, 0);
    CHECK_INT(fake_listing.pages, 1);
}

/* A film's objects: a master playlist, an init segment, and segments. */
static bool many(size_t i, struct object *out, struct arena *page)
{
    static const char *const names[OF_ONE] = {"init.mp4",  "master.m3u8", "seg-1.m4s", "seg-2.m4s",
                                              "seg-3.m4s", "seg-4.m4s",   "seg-5.m4s"};
    size_t project = i / OF_ONE;
    if (i >= MANY)
        return false;
    *out = (struct object){.key = arena_printf(page, "projects/p%06zu/scenes/s/" JOB "/hls/%s",
                                               project, names[i % OF_ONE]),
                           .size_bytes = (int64_t)project + 1};
    return true;
}

static void many_objects_need_no_more_memory(void)
{
    fake_listing.object = many;
    fake_listing.uploads = 3;
    size_t before = arena.bytes;
    struct bucket_usage usage = scan(NULL, 0);
    CHECK_INT(usage.object_count, MANY);
    CHECK_INT(fake_listing.pages, MANY / 1000 + 1);
    CHECK(fake_listing.most_bytes < 500000);
    CHECK(arena.bytes - before < 200000);
    CHECK_INT(usage.multipart_uploads_open, 3);
    int64_t sum = 0;
    for (size_t i = 0; i < MANY; i++)
        sum += (int64_t)(i / OF_ONE) + 1;
    CHECK_INT(usage.total_size_bytes, sum);
    CHECK_INT(usage.by_project.len, USAGE_PROJECTS_MAX);
    /* The last project is not whole: MANY is no multiple of OF_ONE. */
    size_t last = MANY / OF_ONE - 1;
    for (size_t i = 0; i < USAGE_PROJECTS_MAX; i++) {
        const struct usage_project *project = &usage.by_project.at[i];
        CHECK_STR(project->project_id, arena_printf(&arena, "p%06zu", last - i));
        CHECK_INT(project->object_count, OF_ONE);
        CHECK_INT(project->size_bytes, OF_ONE * (int64_t)(last - i + 1));
    }
    int64_t objects = 0, bytes = 0;
    CHECK_INT(usage.by_file_type.len, 3);
    CHECK_INT(usage.by_file_type.at[0].file_type, FILE_SEGMENT);
    for (size_t i = 0; i < usage.by_file_type.len; i++) {
        objects += usage.by_file_type.at[i].object_count;
        bytes += usage.by_file_type.at[i].size_bytes;
    }
    CHECK_INT(objects, MANY);
    CHECK_INT(bytes, sum);
}

static const struct object older[] = {
    {.key = "audio/proj_a/s1/voice.mp3", .size_bytes = 100},
    {.key = "favicon.ico", .size_bytes = 1},
    {.key = "proj_proj_a_s1_media.mp4", .size_bytes = 1000},
    {.key = "proj_proj_b_s1_media.mp4", .size_bytes = 2000},
    {.key = "projects/a/scenes/s/" JOB "/source/source.mp4", .size_bytes = 10},
    {.key = "projects/proj_b/scenes/s/media/x.mp4", .size_bytes = 20},
};

static bool list_older(size_t i, struct object *out, struct arena *page)
{
    (void)page;
    if (i >= sizeof older / sizeof older[0])
        return false;
    *out = older[i];
    return true;
}

static void a_project_is_one_whatever_its_keys(void)
{
    fake_listing.object = list_older;
    struct bucket_usage usage = scan(NULL, 0);
    CHECK_INT(usage.object_count, 6);
    CHECK_INT(usage.total_size_bytes, 3131);
    CHECK_INT(usage.by_project.len, 3);
    CHECK_STR(usage.by_project.at[0].project_id, "b");
    CHECK_INT(usage.by_project.at[0].size_bytes, 2020);
    CHECK_INT(usage.by_project.at[0].object_count, 2);
    CHECK_STR(usage.by_project.at[1].project_id, "a");
    CHECK_INT(usage.by_project.at[1].size_bytes, 1110);
    CHECK_INT(usage.by_project.at[1].object_count, 3);
    CHECK_STR(usage.by_project.at[2].project_id, NULL);
    CHECK_INT(usage.by_project.at[2].size_bytes, 1);
}

/* The largest project's objects lie apart, with many small projects between. */
static bool apart(size_t i, struct object *out, struct arena *page)
{
    enum { SMALL = 3000 };
    if (i > SMALL + 1)
        return false;
    if (i == 0)
        *out = (struct object){.key = "audio/proj_big/s/a.mp3", .size_bytes = 500};
    else if (i <= SMALL)
        *out = (struct object){
            .key = arena_printf(page, "projects/c%05zu/scenes/s/" JOB "/hls/x.m4s", i),
            .size_bytes = 1};
    else
        *out = (struct object){.key = "projects/proj_big/scenes/s/media/x.mp4", .size_bytes = 500};
    return true;
}

static void a_full_table_keeps_the_largest(void)
{
    fake_listing.object = apart;
    struct bucket_usage usage = scan(NULL, 0);
    CHECK_INT(usage.by_project.len, USAGE_PROJECTS_MAX);
    CHECK_STR(usage.by_project.at[0].project_id, "big");
    CHECK_INT(usage.by_project.at[0].size_bytes, 1000);
    CHECK_INT(usage.by_project.at[0].object_count, 2);
    CHECK_INT(usage.by_project.at[1].size_bytes, 1);
}

static int after_three(void *arg, struct err *step_err)
{
    int *left = arg;
    return --*left < 0 ? err_set(step_err, ERR_SHUTTING_DOWN, "enough") : 0;
}

static void it_ends_when_told(void)
{
    int left = 3;
    const struct usage_watch watch = {after_three, &left};
    fake_listing.object = many;
    scan(&watch, -1);
    CHECK_INT(err.code, ERR_SHUTTING_DOWN);
    CHECK_INT(fake_listing.pages, 3);
}

static void a_page_that_fails_fails_it(void)
{
    fake_listing.object = many;
    fake_listing.fail_at = 5;
    scan(NULL, -1);
    fake_listing.fail_at = 0;
    CHECK_INT(err.code, ERR_STORAGE_TIMEOUT);
}

int main(void)
{
    RUN(an_empty_bucket_is_empty);
    RUN(many_objects_need_no_more_memory);
    RUN(a_project_is_one_whatever_its_keys);
    RUN(a_full_table_keeps_the_largest);
    RUN(it_ends_when_told);
    RUN(a_page_that_fails_fails_it);
    arena_release(&arena);
    return 0;
}
