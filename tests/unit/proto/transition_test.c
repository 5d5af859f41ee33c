/* The transitions, one by one; the random model of them is transition_model_test.c. */
#include "check.h"

#include "proto/recipe.h"
#include "proto/transition.h"

struct fixture {
    struct job job;
    struct task tasks[RECIPE_TASKS_MAX];
    const char *needs[RECIPE_TASKS_MAX][RECIPE_NEEDS_MAX];
};

enum { DOWNLOAD, TRANSCODE, THUMBNAIL, UPLOAD };

static const int64_t T0 = 1000000;

static struct job *start(struct fixture *f, const char *recipe)
{
    *f = (struct fixture){0};
    f->job.id = "01J00000000000000000000000";
    recipe_plan(recipe_find(recipe), &f->job, f->tasks, f->needs);
    job_start(&f->job, T0);
    return &f->job;
}

static const struct outcome SUCCESS = {0};

static struct outcome error(enum error code)
{
    return (struct outcome){.error = {code, "detail"}};
}

static void run_to(struct job *job, size_t i, int64_t now, const struct outcome *outcome)
{
    CHECK(job_claim(job, i, "w", now, JOB_LEASE_MS));
    CHECK(job_settle(job, i, job->tasks.at[i].run, outcome, now + 1));
}

static void starts_what_needs_nothing(void)
{
    struct fixture f;
    struct job *job = start(&f, "media.store");
    CHECK_INT(job->state, JOB_QUEUED);
    CHECK_INT(f.tasks[DOWNLOAD].state, TASK_QUEUED);
    CHECK_INT(f.tasks[TRANSCODE].state, TASK_WAITING);
    CHECK_INT(job->alarm_at, T0 + JOB_PUBLISH_MS);
    CHECK_STR(job->event.event, "submitted");
    CHECK_INT(job_percent(job), 0);
}

static void runs_a_recipe_to_the_end(void)
{
    struct fixture f;
    char phase[64];
    struct job *job = start(&f, "media.store");
    run_to(job, DOWNLOAD, T0, &SUCCESS);
    CHECK_INT(f.tasks[TRANSCODE].state, TASK_QUEUED);
    CHECK_INT(f.tasks[THUMBNAIL].state, TASK_QUEUED);
    CHECK(job_claim(job, TRANSCODE, "w", T0 + 1, JOB_LEASE_MS));
    CHECK(job_claim(job, THUMBNAIL, "w", T0 + 1, JOB_LEASE_MS));
    CHECK_STR(job_phase(job, phase, sizeof phase), "transcode+thumbnail");
    CHECK(job_settle(job, TRANSCODE, 1, &SUCCESS, T0));
    CHECK_INT(f.tasks[UPLOAD].state, TASK_WAITING);
    CHECK(job_settle(job, THUMBNAIL, 1, &SUCCESS, T0));
    run_to(job, UPLOAD, T0 + 2, &SUCCESS);
    CHECK(job_finishing(job));
    CHECK_INT(job_percent(job), 99);
    CHECK_STR(job_phase(job, phase, sizeof phase), "finishing");
    CHECK(job_finish(job, T0 + 5));
    CHECK_INT(job->state, JOB_SUCCEEDED);
    CHECK_INT(job_percent(job), 100);
    CHECK_INT(job->alarm_at, 0);
    CHECK(!job_finish(job, T0 + 6));
    CHECK(!job_stop(job, ERR_CANCELLED, "me", T0 + 6));
}

static void a_simple_job_ends_with_its_last_settle(void)
{
    struct fixture f;
    struct job *job = start(&f, "hello");
    run_to(job, 0, T0, &SUCCESS);
    CHECK_INT(job->state, JOB_SUCCEEDED);
    CHECK_INT(job->alarm_at, 0);
    CHECK(job->expires_at > T0);
}

static void claims_once_and_only_when_due(void)
{
    struct fixture f;
    struct job *job = start(&f, "hello");
    CHECK(!job_claim(job, 0, "w", T0 - JOB_SKEW_MS - 1, JOB_LEASE_MS));
    CHECK(!job_claim(job, 7, "w", T0, JOB_LEASE_MS));
    CHECK(job_claim(job, 0, "w", T0 - JOB_SKEW_MS, JOB_LEASE_MS));
    CHECK(!job_claim(job, 0, "v", T0, JOB_LEASE_MS));
    CHECK(!job_settle(job, 0, 2, &SUCCESS, T0));
}

static void transient_errors_wait_and_end_at_the_bound(void)
{
    struct fixture f;
    struct job *job = start(&f, "hello");
    struct outcome transient = error(ERR_DEBUG_TRANSIENT);
    run_to(job, 0, T0, &transient);
    CHECK_INT(f.tasks[0].state, TASK_QUEUED);
    CHECK_INT(f.tasks[0].due_at, T0 + 1 + 5000);
    CHECK_INT(job->alarm_at, f.tasks[0].due_at);
    transient.retry_after_ms = 60000;
    run_to(job, 0, T0 + 5001, &transient);
    CHECK_INT(f.tasks[0].due_at, T0 + 5002 + 60000);
    run_to(job, 0, T0 + 65002, &transient);
    CHECK_INT(f.tasks[0].state, TASK_FAILED);
    CHECK_INT(f.tasks[0].failures, 3);
    CHECK_INT(job->state, JOB_FAILED);
    CHECK_INT(job_error(job).code, ERR_DEBUG_TRANSIENT);
    CHECK_INT(job_percent(job), 100);
}

static void an_unknown_host_is_asked_for_twice(void)
{
    struct fixture f;
    struct job *job = start(&f, "media.store");
    struct outcome unknown = error(ERR_SOURCE_UNKNOWN_HOST), failing = error(ERR_SOURCE_DNS_ERROR);
    run_to(job, DOWNLOAD, T0, &unknown);
    CHECK_INT(f.tasks[DOWNLOAD].state, TASK_QUEUED);
    run_to(job, DOWNLOAD, f.tasks[DOWNLOAD].due_at, &unknown);
    CHECK_INT(f.tasks[DOWNLOAD].state, TASK_FAILED);
    CHECK_INT(f.tasks[DOWNLOAD].failures, 2);
    job = start(&f, "media.store");
    run_to(job, DOWNLOAD, T0, &failing);
    run_to(job, DOWNLOAD, f.tasks[DOWNLOAD].due_at, &failing);
    CHECK_INT(f.tasks[DOWNLOAD].state, TASK_QUEUED);
}

static void a_permanent_error_stops_the_rest(void)
{
    struct fixture f;
    struct job *job = start(&f, "media.store");
    run_to(job, DOWNLOAD, T0, &SUCCESS);
    CHECK(job_claim(job, THUMBNAIL, "w", T0 + 1, JOB_LEASE_MS));
    struct outcome corrupt = error(ERR_CORRUPT_MEDIA);
    run_to(job, TRANSCODE, T0 + 1, &corrupt);
    CHECK_INT(job->stop.code, ERR_CORRUPT_MEDIA);
    CHECK_INT(f.tasks[UPLOAD].state, TASK_CANCELLED);
    CHECK_INT(f.tasks[THUMBNAIL].state, TASK_RUNNING);
    CHECK(!job_finishing(job));
    struct outcome cancelled = error(ERR_CANCELLED);
    CHECK(job_settle(job, THUMBNAIL, 1, &cancelled, T0));
    CHECK_INT(f.tasks[THUMBNAIL].state, TASK_CANCELLED);
    CHECK(job_finish(job, T0));
    CHECK_INT(job->state, JOB_FAILED);
    CHECK_STR(job_culprit(job)->name, "transcode");
}

static void an_optional_failure_stops_nothing(void)
{
    struct fixture f;
    struct job *job = start(&f, "media.store");
    struct outcome failed = error(ERR_UNSUPPORTED_IMAGE);
    run_to(job, DOWNLOAD, T0, &SUCCESS);
    run_to(job, THUMBNAIL, T0 + 1, &failed);
    CHECK_INT(job->stop.code, ERR_NONE);
    run_to(job, TRANSCODE, T0 + 1, &SUCCESS);
    CHECK_INT(f.tasks[UPLOAD].state, TASK_QUEUED);
}

static void an_optional_task_is_waited_for_a_minute(void)
{
    struct fixture f;
    struct job *job = start(&f, "media.store");
    run_to(job, DOWNLOAD, T0, &SUCCESS);
    run_to(job, TRANSCODE, T0 + 1, &SUCCESS);
    CHECK_INT(f.tasks[UPLOAD].state, TASK_WAITING);
    CHECK(!job_expire(job, T0 + 1 + JOB_OPTIONAL_MS));
    CHECK(job_claim(job, THUMBNAIL, "w", T0 + JOB_OPTIONAL_MS - 5, JOB_LEASE_MS));
    CHECK(job->alarm_at <= T0 + 2 + JOB_OPTIONAL_MS);
    CHECK(job_expire(job, T0 + 2 + JOB_OPTIONAL_MS));
    CHECK_INT(f.tasks[UPLOAD].state, TASK_QUEUED);
    CHECK_INT(f.tasks[THUMBNAIL].state, TASK_CANCELLED);
    CHECK_INT(f.tasks[THUMBNAIL].error.code, ERR_SKIPPED);
    CHECK(!job_settle(job, THUMBNAIL, 1, &SUCCESS, T0 + 3 + JOB_OPTIONAL_MS));
}

static void a_release_counts_nothing(void)
{
    struct fixture f;
    struct job *job = start(&f, "hello");
    struct outcome released = error(ERR_SHUTTING_DOWN);
    run_to(job, 0, T0, &released);
    CHECK_INT(f.tasks[0].state, TASK_QUEUED);
    CHECK_INT(f.tasks[0].failures, 0);
    CHECK_INT(f.tasks[0].crashes, 0);
    CHECK(job_due(job, 0, T0 + 1));
    struct outcome denied = error(ERR_STORAGE_AUTH); /* a failure, were it not everybody's */
    denied.release = true;
    run_to(job, 0, T0 + 1, &denied);
    CHECK_INT(f.tasks[0].state, TASK_QUEUED);
    CHECK_INT(f.tasks[0].failures, 0);
    CHECK_STR(job->event.event, "released");
}

static void three_crashes_fail_the_job(void)
{
    struct fixture f;
    struct job *job = start(&f, "hello");
    CHECK(job_claim(job, 0, "w", T0, JOB_LEASE_MS));
    CHECK(!job_expire(job, T0 + JOB_LEASE_MS - 1));
    CHECK(job_expire(job, T0 + JOB_LEASE_MS));
    CHECK_INT(f.tasks[0].crashes, 1);
    CHECK(job_claim(job, 0, "w", T0 + JOB_LEASE_MS, JOB_LEASE_MS));
    CHECK(job_take_over(job, 0, "v", T0 + JOB_LEASE_MS + 1, JOB_LEASE_MS));
    CHECK_INT(f.tasks[0].state, TASK_RUNNING);
    CHECK_INT(f.tasks[0].run, 3);
    CHECK_STR(f.tasks[0].worker, "v");
    CHECK_STR(job->event.event, "taken-over");
    CHECK(job_take_over(job, 0, "u", T0 + JOB_LEASE_MS + 2, JOB_LEASE_MS));
    CHECK_INT(f.tasks[0].state, TASK_FAILED);
    CHECK_INT(job_error(job).code, ERR_WORKER_CRASH);
    CHECK_INT(job->state, JOB_FAILED);
}

static void cancel_waits_for_running_tasks(void)
{
    struct fixture f;
    struct job *job = start(&f, "media.store");
    CHECK(job_claim(job, DOWNLOAD, "w", T0, JOB_LEASE_MS));
    CHECK(job_stop(job, ERR_CANCELLED, "me", T0 + 1));
    CHECK_INT(f.tasks[UPLOAD].state, TASK_CANCELLED);
    CHECK(!job_finishing(job));
    CHECK(job->alarm_at <= T0 + JOB_LEASE_MS);
    CHECK(!job_stop(job, ERR_CANCELLED, "you", T0 + 2));
    struct outcome released = error(ERR_SHUTTING_DOWN);
    CHECK(job_settle(job, DOWNLOAD, 1, &released, T0 + 3));
    CHECK(job_finish(job, T0 + 4));
    CHECK_INT(job->state, JOB_CANCELLED);
    CHECK_INT(job_error(job).code, ERR_CANCELLED);
}

static void an_error_after_a_stop_is_a_cancellation(void)
{
    struct fixture f;
    struct job *job = start(&f, "hello");
    CHECK(job_claim(job, 0, "w", T0, JOB_LEASE_MS));
    CHECK(job_stop(job, ERR_CANCELLED, "me", T0 + 1));
    struct outcome failed = error(ERR_DEBUG_PERMANENT);
    CHECK(job_settle(job, 0, 1, &failed, T0 + 2));
    CHECK_INT(f.tasks[0].state, TASK_CANCELLED);
    CHECK_INT(job->state, JOB_CANCELLED);
}

static void the_deadline_stops_a_job(void)
{
    struct fixture f;
    struct job *job = start(&f, "media.store");
    CHECK(!job_expire(job, T0 + JOB_DEADLINE_MS - 1));
    CHECK(job_expire(job, T0 + JOB_DEADLINE_MS));
    CHECK(job_finish(job, T0 + JOB_DEADLINE_MS));
    CHECK_INT(job->state, JOB_FAILED);
    CHECK_INT(job_error(job).code, ERR_DEADLINE_EXCEEDED);
}

static void nudges_back_off(void)
{
    struct fixture f;
    struct job *job = start(&f, "hello");
    job_nudge(job, T0);
    CHECK_INT(job->alarm_at, T0 + 10000);
    job_nudge(job, T0);
    CHECK_INT(job->alarm_at, T0 + 20000);
    for (int i = 0; i < 100; i++)
        job_nudge(job, T0);
    CHECK_INT(job->alarm_at, T0 + JOB_PUBLISH_MAX_MS);
}

static void a_spoilt_result_fails_its_task(void)
{
    static const struct task_error unread = {ERR_INTERNAL, "cannot be read"};
    for (size_t spoilt = THUMBNAIL; spoilt <= UPLOAD; spoilt++) {
        struct fixture f;
        struct job *job = start(&f, "media.store");
        for (size_t i = DOWNLOAD; i < UPLOAD; i++)
            run_to(job, i, T0, &SUCCESS);
        CHECK(!job_spoil(job, spoilt, unread, T0)); /* its dependants say that themselves */
        run_to(job, UPLOAD, T0, &SUCCESS);
        CHECK(job_spoil(job, spoilt, unread, T0 + 2));
        CHECK(!job_spoil(job, spoilt, unread, T0 + 2));
        CHECK(job_finishing(job));
        CHECK_STR(job->event.event, "failed");
        CHECK_INT(job_outcome(job), spoilt == UPLOAD ? JOB_FAILED : JOB_SUCCEEDED);
        CHECK_INT(job->alarm_at, T0 + 2 + JOB_PUBLISH_MS);
        CHECK(job_finish(job, T0 + 3));
        CHECK(!job_spoil(job, DOWNLOAD, unread, T0 + 4));
    }
}

static struct raw bytes(const char *text)
{
    return (struct raw){(const uint8_t *)text, strlen(text)};
}

static void check_result(const struct task *task, const char *text)
{
    CHECK_INT(task->result.len, strlen(text));
    CHECK(memcmp(task->result.at, text, task->result.len) == 0);
}

static void a_checkpoint_outlives_its_run(void)
{
    struct fixture f;
    struct job *job = start(&f, "hello");
    struct outcome outcome = error(ERR_DEBUG_TRANSIENT);
    CHECK(!job_checkpoint(job, 0, 0, bytes("queued"))); /* nobody runs it */
    CHECK(job_claim(job, 0, "w", T0, JOB_LEASE_MS));
    int64_t alarm = job->alarm_at;
    CHECK(job_checkpoint(job, 0, 1, bytes("one")));
    CHECK(job_checkpoint(job, 0, 1, bytes("two")));
    CHECK(!job->event.event);
    CHECK_INT(job->alarm_at, alarm);
    CHECK(!job_checkpoint(job, 0, 2, bytes("another's")));
    CHECK(!job_checkpoint(job, 1, 1, bytes("no task")));
    CHECK(job_take_over(job, 0, "v", T0 + 1, JOB_LEASE_MS));
    CHECK(!job_checkpoint(job, 0, 1, bytes("the dead one's")));
    check_result(&f.tasks[0], "two");
    CHECK(job_settle(job, 0, 2, &outcome, T0 + 2));
    check_result(&f.tasks[0], "two");
    CHECK(job_claim(job, 0, "u", f.tasks[0].due_at, JOB_LEASE_MS));
    CHECK(job_checkpoint(job, 0, 3, bytes("three")));
    outcome = error(ERR_DEBUG_PERMANENT);
    CHECK(job_settle(job, 0, 3, &outcome, T0 + 3));
    CHECK_INT(job->state, JOB_FAILED);
    check_result(&f.tasks[0], "three");
    CHECK(!job_checkpoint(job, 0, 3, bytes("late")));
}

static void success_replaces_a_checkpoint(void)
{
    struct fixture f;
    struct job *job = start(&f, "hello");
    const struct outcome outcome = {.result = bytes("all")};
    CHECK(job_claim(job, 0, "w", T0, JOB_LEASE_MS));
    CHECK(job_checkpoint(job, 0, 1, bytes("some")));
    CHECK(job_settle(job, 0, 1, &outcome, T0 + 1));
    check_result(&f.tasks[0], "all");
}

int main(void)
{
    RUN(starts_what_needs_nothing);
    RUN(runs_a_recipe_to_the_end);
    RUN(a_simple_job_ends_with_its_last_settle);
    RUN(claims_once_and_only_when_due);
    RUN(transient_errors_wait_and_end_at_the_bound);
    RUN(an_unknown_host_is_asked_for_twice);
    RUN(a_permanent_error_stops_the_rest);
    RUN(an_optional_failure_stops_nothing);
    RUN(an_optional_task_is_waited_for_a_minute);
    RUN(a_release_counts_nothing);
    RUN(three_crashes_fail_the_job);
    RUN(cancel_waits_for_running_tasks);
    RUN(an_error_after_a_stop_is_a_cancellation);
    RUN(the_deadline_stops_a_job);
    RUN(nudges_back_off);
    RUN(a_spoilt_result_fails_its_task);
    RUN(a_checkpoint_outlives_its_run);
    RUN(success_replaces_a_checkpoint);
    return 0;
}
