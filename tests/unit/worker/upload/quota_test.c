/* What is asked before an upload, and of whom, over sums that a test makes up. */
#include "check.h"
#include "fake_store.h"

#include "proto/scene.h"
#include "worker/held.h"
#include "worker/upload/quota.h"

static struct worker_config config;
static struct runtime runtime = {.config = &config};
static struct task task = {.name = "upload", .kind = KIND_UPLOAD, .run = 1};
static struct job job = {
    .id = "01J00000000000000000000001", .tenant = "t", .project_id = "p", .tasks = {&task, 1}};
static struct arena memory;
static int asked;
static char by[2][16];

/* The job's own rows are left out, and what is being deleted. */
static void seen(const struct store_sums *query)
{
    const struct file_path *filter = query->filter, *except = query->except;
    CHECK(asked < 2);
    snprintf(by[asked++], sizeof by[0], "%s", query->by);
    CHECK_STR(filter->tenant, "t");
    CHECK_STR(except->job, job.id);
    CHECK_INT(except->state, FILE_DELETING);
}

static enum error check(int64_t own_quota, const char *user, int64_t bytes)
{
    static const struct delivery none;
    const struct media_store media = {.url = "http://x/", .project_id = "p", .user_id = user};
    const struct project project = {.project_id = "p", .quota_bytes = own_quota};
    struct err err = {0};
    job.params = doc_bson_pack(&media_store_doc, &media, &memory);
    struct lot *lot = lot_new();
    struct run *run = run_new(&runtime, lot, &job, 0, &none);
    lot_drop(lot);
    asked = 0;
    int failed = upload_quota_check(run, &project, bytes, &err);
    CHECK_INT(failed ? -1 : 0, err.code ? -1 : 0);
    run_free(run);
    return err.code;
}

static void without_a_quota_nothing_is_asked(void)
{
    CHECK_INT(check(0, "u", INT64_MAX), ERR_NONE);
    CHECK_INT(asked, 0);
}

static void the_project_is_asked_for(void)
{
    static struct store_sum sums[] = {{"p", 1, 60}};
    fake_sums = sums;
    fake_sums_len = 1;
    CHECK_INT(check(100, "u", 40), ERR_NONE);
    CHECK_INT(asked, 1);
    CHECK_STR(by[0], "project_id");
    CHECK_INT(check(100, "u", 41), ERR_QUOTA_EXCEEDED);
    config.fleet.quota_project_bytes = 70;
    CHECK_INT(check(0, "u", 11), ERR_QUOTA_EXCEEDED);
    CHECK_INT(check(100, "u", 11), ERR_NONE); /* its own counts */
    config.fleet.quota_project_bytes = 0;
}

static void the_user_is_asked_for_too(void)
{
    static struct store_sum sums[] = {{"u", 1, 60}};
    fake_sums = sums;
    fake_sums_len = 1;
    config.fleet.quota_user_bytes = 100;
    CHECK_INT(check(1000, "u", 40), ERR_NONE);
    CHECK_INT(asked, 2);
    CHECK_STR(by[1], "user_id");
    CHECK_INT(check(0, "u", 41), ERR_QUOTA_EXCEEDED);
    CHECK_INT(check(0, NULL, 1000), ERR_NONE); /* nobody's */
    CHECK_INT(asked, 0);
    config.fleet.quota_user_bytes = 0;
}

static void a_store_that_is_away_hands_it_back(void)
{
    fake_store.away = 1;
    CHECK_INT(check(1, "u", 1), ERR_STORE_UNAVAILABLE);
    CHECK_INT(error_class(ERR_STORE_UNAVAILABLE), CLASS_RELEASED);
    CHECK_INT(error_class(ERR_QUOTA_EXCEEDED), CLASS_PERMANENT);
}

int main(void)
{
    fake_seen_sum = seen;
    RUN(without_a_quota_nothing_is_asked);
    RUN(the_project_is_asked_for);
    RUN(the_user_is_asked_for_too);
    RUN(a_store_that_is_away_hands_it_back);
    arena_release(&memory);
    return 0;
}
