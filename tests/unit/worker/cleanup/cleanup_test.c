/* What a job left in the bucket goes, and nothing else. */
#include "check.h"
#include "fake_rows.h"

#include <sys/stat.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "worker/cleanup/cleanup.h"
#include "worker/held.h"
#include "worker/workspace.h"

#define JOB "01J00000000000000000000001"
#define OTHER "01J00000000000000000000002"
#define SCENE "projects/p/scenes/s/"

static char root[] = "/tmp/cleanup-test-XXXXXX";
static struct worker_config config = {.bucket = {.backend = BACKEND_LOCAL, .media_root = root}};
static struct runtime runtime = {.config = &config};
static struct slot slot = {.runtime = &runtime};
static struct task task = {
    .name = "cleanup", .kind = KIND_CLEANUP, .state = TASK_RUNNING, .run = 1};
static struct job job = {.id = "01J00000000000000000000009", .tasks = {&task, 1}};
static struct arena memory;

static struct run *new_run(void)
{
    static const struct delivery none;
    struct lot *lot = lot_new();
    task.lease_until = INT64_C(4102444800000);
    struct run *run = run_new(&runtime, lot, &job, 0, &none);
    lot_drop(lot);
    run->slot = &slot;
    return run;
}

static void put(const char *key)
{
    struct err err = {0};
    struct bucket_put one = {.key = key};
    char path[] = "/tmp/cleanup-file-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    close(fd);
    one.path = path;
    CHECK_INT(bucket_put(slot.bucket, &one, 1, NULL, &memory, &err), 0);
    unlink(path);
}

static bool is_there(const char *key)
{
    struct err err = {0};
    struct object object;
    return bucket_head(slot.bucket, key, &memory, &object, &err) == 0;
}

static void track(const char *id, const char *of, const char *backend, const char *key)
{
    fake_add_row(&(struct file_path){
        .id = id, .job = of, .backend = backend, .object_key = key, .state = FILE_STORED});
}

static int clean(const char *prefix, bool forget, struct cleanup_result *result, struct err *err)
{
    struct run *run = new_run();
    const struct cleanup_params params = {.job = JOB, .prefix = prefix, .forget = forget};
    *result = (struct cleanup_result){0};
    *err = (struct err){0};
    int failed = cleanup(run, &params, result, err);
    run_free(run);
    return failed;
}

static void deletes_what_is_the_jobs_and_nothing_else(void)
{
    struct err err;
    struct cleanup_result result;
    put(SCENE JOB "/hls/a.m4s");
    put(SCENE JOB "/hls/untracked.m4s");
    put(SCENE OTHER "/hls/a.m4s");
    track("1", JOB, "local", SCENE JOB "/hls/a.m4s");
    track("2", JOB, "local", SCENE JOB "/hls/gone.m4s");
    track("3", OTHER, "local", SCENE OTHER "/hls/a.m4s");
    CHECK_INT(clean(SCENE JOB "/", false, &result, &err), 0);
    CHECK_INT(result.tracked, 2);
    CHECK_INT(result.deleted, 2);
    CHECK_INT(result.already_missing, 1);
    CHECK_INT(fake_inserts, 1); /* a line of the audit */
    CHECK(!is_there(SCENE JOB "/hls/a.m4s"));
    CHECK(!is_there(SCENE JOB "/hls/untracked.m4s"));
    CHECK(is_there(SCENE OTHER "/hls/a.m4s"));
    CHECK_INT(fake_row("1")->state, FILE_DELETING);
    CHECK_INT(fake_row("3")->state, FILE_STORED);
    put(SCENE JOB "/hls/late.m4s");
    CHECK_INT(clean(SCENE JOB "/", true, &result, &err), 0);
    CHECK_INT(result.records_deleted, 2);
    CHECK(!is_there(SCENE JOB "/hls/late.m4s"));
    CHECK(!fake_row("1") && !fake_row("2") && fake_row("3"));
    CHECK_INT(fake_inserts, 2);
    CHECK_INT(clean(SCENE JOB "/", true, &result, &err), 0);
    CHECK_INT(fake_inserts, 2); /* nothing was deleted */
}

/* Objects of another backend are not deleted here: their rows are all that tells of them. */
static void rows_of_another_backend_stay(void)
{
    struct err err;
    struct cleanup_result result;
    track("4", JOB, "local", SCENE JOB "/hls/a.m4s");
    track("5", JOB, "s3", SCENE JOB "/hls/a.m4s");
    CHECK_INT(clean(SCENE JOB "/", true, &result, &err), 0);
    CHECK(!fake_row("4"));
    CHECK(fake_row("5"));
    CHECK_INT(fake_row("5")->state, FILE_STORED);
}

static void a_prefix_that_is_no_jobs_is_refused(void)
{
    static const char *const wrong[] = {"",
                                        "/",
                                        "projects/",
                                        "projects/p/",
                                        "projects/p/scenes/s/",
                                        "projects/p/scenes/s/" JOB,
                                        "projects/p/scenes/../" JOB "/",
                                        SCENE JOB "/hls/"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct err err;
        struct cleanup_result result;
        CHECK_INT(clean(wrong[i], true, &result, &err), -1);
        CHECK_INT(err.code, ERR_INVALID_FORMAT);
    }
    CHECK(is_there(SCENE OTHER "/hls/a.m4s"));
}

static void many_rows_take_linear_memory(void)
{
    enum { MANY = 16000, ROW_BYTES_MAX = 1000 };
    struct err err = {0};
    struct cleanup_result result = {0};
    for (int i = 0; i < MANY; i++)
        track(arena_printf(&memory, "m%06d", i), JOB, "local",
              arena_printf(&memory, SCENE JOB "/hls/%06d.m4s", i));
    struct run *run = new_run();
    const struct cleanup_params params = {.job = JOB, .prefix = SCENE JOB "/"};
    CHECK_INT(cleanup(run, &params, &result, &err), 0);
    CHECK_INT(result.tracked, MANY);
    CHECK(run->arena.bytes < (size_t)MANY * ROW_BYTES_MAX);
    run_free(run);
}

int main(void)
{
    struct err err = {0};
    CHECK(mkdtemp(root));
    CHECK_INT(bucket_open(&slot.bucket, &config.bucket, &err), 0);
    RUN(deletes_what_is_the_jobs_and_nothing_else);
    RUN(rows_of_another_backend_stay);
    RUN(a_prefix_that_is_no_jobs_is_refused);
    RUN(many_rows_take_linear_memory);
    bucket_free(slot.bucket);
    arena_release(&memory);
    arena_release(&fake_rows.memory);
    CHECK_INT(workspace_remove(root, &err), 0);
    return 0;
}
