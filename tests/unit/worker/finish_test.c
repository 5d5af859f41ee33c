/* From the last task's end to the terminal state: scene, cleanup, workspace, and all of it twice.
 */
#include "check.h"
#include "fake_broker.h"
#include "fake_publisher.h"
#include "fake_store.h"

#include <sys/stat.h>

#include "proto/cleanup.h"
#include "proto/scene.h"
#include "proto/upload.h"
#include "worker/batch.h"
#include "worker/finish.h"
#include "worker/workspace.h"

#define SCENE "0123456789abcdef01234567"

static char workspace[] = "/tmp/finish-test-XXXXXX";
static struct worker_config config = {.worker = {.tombstone_s = 900}};
static struct runtime runtime = {.config = &config};
static struct arena memory;
static int number;

/* The one scene, as the fake door sees it. */
static struct {
    bool exists;
    const char *job; /* whose it is */
    enum scene_status status;
    char playlist_key[100], error_message[100];
} scene;

static void keep(const struct scene *set)
{
    scene.status = set->status;
    snprintf(scene.playlist_key, sizeof scene.playlist_key, "%s",
             set->playlist_key ? set->playlist_key : "");
    snprintf(scene.error_message, sizeof scene.error_message, "%s",
             set->error_message ? set->error_message : "");
}

static int see_update(const void *filter, const void *set)
{
    const struct scene *wanted = filter;
    CHECK_STR(wanted->id, SCENE);
    if (!scene.exists || strcmp(scene.job, wanted->job) != 0)
        return 1;
    keep(set);
    return 0;
}

static int see_insert(const void *record)
{
    const struct scene *made = record;
    CHECK_STR(made->id, SCENE);
    if (scene.exists)
        return 1;
    scene.exists = true;
    scene.job = made->job;
    keep(made);
    return 0;
}

static void see_merge(const void *record)
{
    const struct scene *made = record;
    if (strcmp(scene.job, made->job) >= 0)
        return;
    scene.job = made->job;
    keep(made);
}

static void settle(struct job *job, size_t task, enum error code, struct raw result)
{
    const struct outcome outcome = {.error = {code, code ? "because" : NULL}, .result = result};
    CHECK(job_claim(job, task, "w", clock_now_ms(), JOB_LEASE_MS));
    CHECK(job_settle(job, task, job->tasks.at[task].run, &outcome, clock_now_ms()));
}

/* A job that is finishing: every task succeeded, or `failed` failed. */
static struct job *finishing(const char *failed)
{
    struct upload_result upload = {.storage = STORAGE_STORED, .playlist_key = "p/hls/master.m3u8"};
    struct raw none = {0}, packed = doc_bson_pack(&upload_result_doc, &upload, &memory);
    struct job *job = fake_start(++number, "media.store");
    job->project_id = "project";
    job->scene = SCENE;
    for (size_t i = 0; i < 4 && !job_finishing(job); i++) {
        bool fails = failed && strcmp(job->tasks.at[i].name, failed) == 0;
        settle(job, i, fails ? ERR_DEBUG_PERMANENT : ERR_NONE, i == 3 && !fails ? packed : none);
    }
    CHECK(job_finishing(job));
    scene.exists = true;
    scene.job = job->id;
    scene.status = SCENE_PROCESSING;
    fake_publisher.len = 0;
    return fake_copy(job, &memory);
}

static int finish(const struct job *job)
{
    struct err err = {0};
    return finish_job(&runtime, job, &memory, &err);
}

static bool has_files(const struct job *job)
{
    struct stat info;
    return stat(arena_printf(&memory, "%s/%s", workspace, job->id), &info) == 0;
}

static void make_files(const struct job *job)
{
    struct err err = {0};
    CHECK_INT(workspace_make(workspace_dir(workspace, job->id, "download", 1, &memory), &err), 0);
}

static void a_success_is_told_and_leaves_no_files(void)
{
    struct job *job = finishing(NULL);
    size_t jobs = fake_store.len;
    make_files(job);
    CHECK_INT(finish(job), 0);
    CHECK_INT(fake_job(job->id)->state, JOB_SUCCEEDED);
    CHECK_INT(fake_job(job->id)->alarm_at, 0);
    CHECK_INT(scene.status, SCENE_COMPLETED);
    CHECK_STR(scene.playlist_key, "p/hls/master.m3u8");
    CHECK(!has_files(job));
    CHECK_INT(fake_store.len, jobs); /* nothing to clean up */
}

static void a_failure_gives_its_objects_to_cleanup(void)
{
    struct job *job = finishing("upload");
    size_t jobs = fake_store.len;
    CHECK_INT(finish(job), 0);
    CHECK_INT(fake_job(job->id)->state, JOB_FAILED);
    CHECK_INT(scene.status, SCENE_FAILED);
    CHECK_STR(scene.error_message, "debug-permanent: because");
    CHECK_INT(fake_store.len, jobs + 2);
    CHECK_INT(fake_publisher.len, 1); /* the second is not due */
    for (size_t i = 0; i < 2; i++) {
        struct err err = {0};
        struct cleanup_params params;
        const struct job *child = fake_store.jobs[jobs + i];
        CHECK_STR(child->parent, job->id);
        CHECK_INT(doc_bson_unpack(&cleanup_params_doc, &child->tasks.at[0].params, &memory, &params,
                                  &err),
                  0);
        CHECK_STR(params.job, job->id);
        CHECK_STR(params.prefix,
                  arena_printf(&memory, "projects/project/scenes/" SCENE "/%s/", job->id));
        CHECK_INT(params.forget, i);
        CHECK_INT(job_due(child, 0, clock_now_ms()), i == 0);
    }
    CHECK_STR(fake_publisher.sent[0].job, fake_store.jobs[jobs]->id);
}

static void what_never_uploaded_leaves_nothing_to_clean(void)
{
    struct job *job = finishing("download");
    size_t jobs = fake_store.len;
    CHECK_INT(finish(job), 0);
    CHECK_INT(fake_job(job->id)->state, JOB_FAILED);
    CHECK_INT(fake_store.len, jobs);
}

static void twice_is_once(void)
{
    struct job *job = finishing("upload");
    CHECK_INT(finish(job), 0);
    size_t jobs = fake_store.len;
    int64_t rev = fake_job(job->id)->rev;
    CHECK_INT(finish(job), 0); /* somebody else, who read it before */
    CHECK_INT(fake_store.len, jobs);
    CHECK_INT(fake_job(job->id)->rev, rev);
    CHECK_INT(scene.status, SCENE_FAILED);
}

static void a_later_jobs_scene_is_not_touched(void)
{
    struct job *job = finishing(NULL);
    scene.job = "7ZZZZZZZZZZZZZZZZZZZZZZZZZ";
    CHECK_INT(finish(job), 0);
    CHECK_INT(scene.status, SCENE_PROCESSING);
    CHECK_INT(fake_job(job->id)->state, JOB_SUCCEEDED);
}

/* The gateway died before it could say whose the record is now. */
static void an_older_jobs_scene_is_taken(void)
{
    struct job *job = finishing(NULL);
    scene.job = "00000000000000000000000000";
    CHECK_INT(finish(job), 0);
    CHECK_STR(scene.job, job->id);
    CHECK_INT(scene.status, SCENE_COMPLETED);
}

static void a_scene_that_was_never_made_is_made(void)
{
    struct job *job = finishing("download");
    scene.exists = false;
    CHECK_INT(finish(job), 0);
    CHECK(scene.exists);
    CHECK_STR(scene.job, job->id);
    CHECK_INT(scene.status, SCENE_FAILED);
}

/* Each step may find no store; the next try does all of it. */
static void a_deleted_projects_scene_is_not_made_again(void)
{
    struct job *job = fake_start(++number, "media.store");
    job->project_id = "project";
    job->scene = SCENE;
    scene.exists = false;
    CHECK(job_stop(job, ERR_PROJECT_DELETED, "operator", clock_now_ms()));
    CHECK(job_finishing(job));
    job->rev++;
    CHECK_INT(finish(fake_copy(job, &memory)), 0);
    CHECK(!scene.exists);
    CHECK_INT(fake_job(job->id)->state, JOB_CANCELLED);
}

static void an_outage_in_between_leaves_it_finishing(void)
{
    struct job *job = finishing("upload");
    fake_store.away = 1;
    CHECK_INT(finish(job), -1);
    CHECK_INT(scene.status, SCENE_PROCESSING);
    CHECK(job_finishing(fake_job(job->id)));
    fake_store.lost = 1; /* the last step is made, its answer is lost */
    CHECK_INT(finish(job), 0);
    CHECK_INT(fake_job(job->id)->state, JOB_FAILED);
}

/* {small: 1}, where a string should be. */
static const uint8_t broken[] = {16, 0, 0, 0, 16, 's', 'm', 'a', 'l', 'l', 0, 1, 0, 0, 0, 0};

/* Somebody else's result, which this release cannot read: the job ends, and says why. */
static void a_result_that_cannot_be_read_is_a_failure(void)
{
    struct job *job = finishing(NULL);
    job_task(fake_job(job->id), "upload")->result = (struct raw){broken, sizeof broken};
    CHECK_INT(finish(fake_copy(fake_job(job->id), &memory)), 0);
    CHECK_INT(fake_job(job->id)->state, JOB_FAILED);
    struct task *upload = job_task(fake_job(job->id), "upload");
    CHECK_INT(upload->state, TASK_FAILED);
    CHECK_INT(upload->error.code, ERR_INTERNAL);
    CHECK_INT(scene.status, SCENE_FAILED);
    CHECK(strstr(scene.error_message, "cannot be read"));
}

/* Without its thumbnails it is still a success. */
static void an_optional_result_that_cannot_be_read_is_done_without(void)
{
    struct job *job = finishing(NULL);
    job_task(fake_job(job->id), "thumbnail")->result = (struct raw){broken, sizeof broken};
    CHECK_INT(finish(fake_copy(fake_job(job->id), &memory)), 0);
    CHECK_INT(fake_job(job->id)->state, JOB_SUCCEEDED);
    CHECK_INT(job_task(fake_job(job->id), "thumbnail")->state, TASK_FAILED);
    CHECK_INT(scene.status, SCENE_COMPLETED);
}

static void without_a_prefix_there_are_no_objects(void)
{
    struct job *job = finishing("upload");
    size_t jobs = fake_store.len;
    job->project_id = "not a name/";
    CHECK_INT(finish(job), 0);
    CHECK_INT(fake_job(job->id)->state, JOB_FAILED);
    CHECK_INT(fake_store.len, jobs);
}

/* Files that cannot be removed are tried a few times; the job ends in any case. */
static void files_that_stay_do_not_keep_a_job_from_its_end(void)
{
    struct job *job = finishing(NULL);
    config.fleet.workspace = "/proc/self";
    struct job **stored = fake_find(job->id);
    (*stored)->id = job->id = scene.job = "fdinfo"; /* which nobody can remove */
    CHECK_INT(finish(job), -1);
    CHECK(job_finishing(fake_job(job->id)));
    job->nudges = 3;
    CHECK_INT(finish(job), 0);
    CHECK_INT(fake_job(job->id)->state, JOB_SUCCEEDED);
    config.fleet.workspace = workspace;
}

int main(void)
{
    CHECK(mkdtemp(workspace));
    config.fleet.workspace = workspace;
    fake_seen_update = see_update;
    fake_seen_insert = see_insert;
    fake_seen_merge = see_merge;
    held_init(&runtime.held);
    runtime.batch = batch_new(NULL, &runtime.held);
    RUN(a_success_is_told_and_leaves_no_files);
    RUN(a_failure_gives_its_objects_to_cleanup);
    RUN(what_never_uploaded_leaves_nothing_to_clean);
    RUN(twice_is_once);
    RUN(a_later_jobs_scene_is_not_touched);
    RUN(an_older_jobs_scene_is_taken);
    RUN(a_scene_that_was_never_made_is_made);
    RUN(a_deleted_projects_scene_is_not_made_again);
    RUN(an_outage_in_between_leaves_it_finishing);
    RUN(a_result_that_cannot_be_read_is_a_failure);
    RUN(an_optional_result_that_cannot_be_read_is_done_without);
    RUN(without_a_prefix_there_are_no_objects);
    RUN(files_that_stay_do_not_keep_a_job_from_its_end);
    batch_free(runtime.batch);
    arena_release(&memory);
    arena_release(&fake_store.memory);
    struct err err = {0};
    CHECK_INT(workspace_remove(workspace, &err), 0);
    return 0;
}
