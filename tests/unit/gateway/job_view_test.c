/* How a job looks, and when its ETag changes. */
#include "gateway/job_view.h"

#include "check.h"
#include "proto/recipe.h"
#include "proto/transition.h"

static struct arena arena;
static struct job job;
static struct task tasks[RECIPE_TASKS_MAX];
static const char *needs[RECIPE_TASKS_MAX][RECIPE_NEEDS_MAX];

static void start(const char *recipe)
{
    job = (struct job){.id = "01J9ZZZZZZZZZZZZZZZZZZZZZZ", .tenant = "t", .owner = "o"};
    recipe_plan(recipe_find(recipe), &job, tasks, needs);
    job_start(&job, 1000);
}

static struct job_view view(bool whole)
{
    struct job_view out;
    job_view_fill(&job, whole, &arena, &out);
    return out;
}

static void a_new_job(void)
{
    start("media.store");
    struct job_view out = view(true);
    CHECK_STR(out.phase, "queued");
    CHECK_INT(out.percent, 0);
    CHECK_INT(out.tasks.len, 4);
    CHECK_INT(out.tasks.at[0].attempt, 1);
    CHECK_INT(out.error.code, ERR_NONE);
    CHECK_INT(view(false).tasks.len, 0);
}

static void attempts_are_bounded(void)
{
    start("hello");
    tasks[0].failures = 1;
    CHECK_INT(view(true).tasks.at[0].attempt, 2);
    tasks[0].failures = tasks[0].max_attempts;
    CHECK_INT(view(true).tasks.at[0].attempt, tasks[0].max_attempts);
    tasks[0].failures = 1;
    tasks[0].state = TASK_FAILED; /* for good, at the first attempt */
    CHECK_INT(view(true).tasks.at[0].attempt, 1);
}

static void a_failed_job_names_its_task(void)
{
    start("hello");
    CHECK(job_claim(&job, 0, "w", 2000, JOB_LEASE_MS));
    const struct outcome outcome = {.error = {ERR_DEBUG_PERMANENT, "as told"}};
    CHECK(job_settle(&job, 0, 1, &outcome, 3000));
    struct job_view out = view(true);
    CHECK_INT(out.state, JOB_FAILED);
    CHECK_INT(out.percent, 100);
    CHECK_INT(out.error.code, ERR_DEBUG_PERMANENT);
    CHECK_STR(out.error.detail, "as told");
    CHECK_STR(out.error.task, "hello");
    CHECK(out.result.at == NULL);
}

static void success_shows_the_last_result(void)
{
    static const uint8_t empty[] = {5, 0, 0, 0, 0};
    start("hello");
    CHECK(job_claim(&job, 0, "w", 2000, JOB_LEASE_MS));
    tasks[0].message = "sleeping";
    CHECK_STR(view(true).message, "sleeping");
    CHECK(job_settle(&job, 0, 1, &(struct outcome){.result = {empty, sizeof empty}}, 3000));
    CHECK(view(true).result.at == empty);
    CHECK_INT(view(true).tasks.at[0].percent, 100);
}

static void the_etag_changes_with_what_is_seen(void)
{
    start("hello");
    const char *first = job_view_etag(&job, &arena);
    CHECK_STR(job_view_etag(&job, &arena), first);
    tasks[0].lease_until = 5000;
    CHECK_STR(job_view_etag(&job, &arena), first);
    tasks[0].percent = 7;
    const char *second = job_view_etag(&job, &arena);
    CHECK(strcmp(first, second) != 0);
    tasks[0].message = "on its way";
    const char *third = job_view_etag(&job, &arena);
    CHECK(strcmp(second, third) != 0);
    job.rev += 1;
    CHECK(strcmp(third, job_view_etag(&job, &arena)) != 0);
}

static void etags_are_matched(void)
{
    CHECK(job_view_etag_matches("\"1-a\"", "\"1-a\""));
    CHECK(job_view_etag_matches("W/\"1-a\"", "\"1-a\""));
    CHECK(job_view_etag_matches("\"0\", \"1-a\"", "\"1-a\""));
    CHECK(job_view_etag_matches("\"1-a\" ,\"0\"", "\"1-a\""));
    CHECK(job_view_etag_matches("*", "\"1-a\""));
    CHECK(!job_view_etag_matches(NULL, "\"1-a\""));
    CHECK(!job_view_etag_matches("", "\"1-a\""));
    CHECK(!job_view_etag_matches(",,,", "\"1-a\""));
    CHECK(!job_view_etag_matches("\"1-ab\"", "\"1-a\""));
    CHECK(!job_view_etag_matches("1-a", "\"1-a\""));
}

int main(void)
{
    RUN(a_new_job);
    RUN(attempts_are_bounded);
    RUN(a_failed_job_names_its_task);
    RUN(success_shows_the_last_result);
    RUN(the_etag_changes_with_what_is_seen);
    RUN(etags_are_matched);
    arena_release(&arena);
    return 0;
}
