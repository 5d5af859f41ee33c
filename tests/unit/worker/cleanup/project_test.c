/* Everything of a project goes, nothing of another's; and however often it is killed, the counts
 * are those of one run. */
#include "check.h"
#include "fake_rows.h"

#include <sys/stat.h>
#include <unistd.h>

#include "common/doc_bson.h"
#include "common/file_id.h"
#include "worker/cleanup/project.h"
#include "worker/held.h"
#include "worker/workspace.h"

#define HOME "projects/p/scenes/s/01J00000000000000000000001/"
#define OTHER "projects/p10/scenes/s/01J00000000000000000000002/"

static char root[] = "/tmp/project-test-XXXXXX";
static struct worker_config config = {.bucket = {.backend = BACKEND_LOCAL, .media_root = root}};
static struct runtime runtime = {.config = &config, .kind = &kinds[KIND_CLEANUP]};
static struct slot slot = {.runtime = &runtime};
static struct task task = {
    .name = "cleanup", .kind = KIND_CLEANUP, .state = TASK_RUNNING, .run = 1};
static struct job job = {.id = "01J00000000000000000000009",
                         .tenant = "t",
                         .owner = "o",
                         .project_id = "p",
                         .tasks = {&task, 1}};
static struct arena memory;
static int dies_in; /* checkpoints until the run "dies"; 0: never */

/* What a checkpoint saves is what the next run finds. */
int store_swap(struct store *store, struct store_swap *swaps, size_t len, struct err *err)
{
    (void)store;
    CHECK_INT((long long)len, 1);
    if (dies_in && --dies_in == 0)
        return err_set(err, ERR_LEASE_LOST, "dead");
    const struct raw *saved = &swaps[0].after->tasks.at[0].result;
    task.result = (struct raw){arena_memdup(&memory, saved->at, saved->len), saved->len};
    swaps[0].saved = true;
    return 0;
}

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
    char path[1200];
    snprintf(path, sizeof path, "%s/%s", root, key);
    for (char *at = path + strlen(root) + 1; (at = strchr(at, '/')); at++) {
        *at = '\0';
        (void)mkdir(path, 0700);
        *at = '/';
    }
    FILE *file = fopen(path, "w");
    CHECK(file && fputs("12345", file) >= 0 && fclose(file) == 0);
}

static bool is_there(const char *key)
{
    char path[1200];
    snprintf(path, sizeof path, "%s/%s", root, key);
    return access(path, F_OK) == 0;
}

static void track(const char *tenant, const char *project, const char *key)
{
    fake_add_row(&(struct file_path){.id = file_id("local", key, &memory),
                                     .tenant = tenant,
                                     .project_id = project,
                                     .backend = "local",
                                     .object_key = arena_strdup(&memory, key),
                                     .size_bytes = 5,
                                     .state = FILE_STORED});
}

static int clean(bool records_only, struct cleanup_result *result, struct err *err)
{
    const struct cleanup_params params = {.project_id = "p", .delete_records_only = records_only};
    struct run *run = new_run();
    *result = (struct cleanup_result){0};
    *err = (struct err){0};
    struct err own = {0};
    int failed = project_cleanup(run, &params, result, err);
    const struct raw told = doc_bson_pack(&cleanup_result_doc, result, &memory);
    run_free(run);
    CHECK_INT(doc_bson_unpack(&cleanup_result_doc, &told, &memory, result, &own), 0);
    if (!failed)
        task.result = (struct raw){0};
    return failed;
}

static void begin(void)
{
    task.result = (struct raw){0};
    fake_rows.len = 0;
    dies_in = 0;
}

static void rows_and_objects_go_together(void)
{
    struct err err;
    struct cleanup_result result;
    begin();
    put(HOME "a.m4s");
    put(HOME "untracked.m4s");
    put(OTHER "a.m4s");
    track("t", "p", HOME "a.m4s");
    track("t", "p", HOME "gone.m4s");
    track("t", "p10", OTHER "a.m4s");
    CHECK_INT(clean(false, &result, &err), 0);
    CHECK_INT(result.tracked, 2);
    CHECK_INT(result.deleted, 1);
    CHECK_INT(result.already_missing, 1);
    CHECK_INT(result.failed, 0);
    CHECK_INT(result.records_deleted, 2);
    CHECK_INT(result.bytes_freed, 5);
    CHECK(!result.used_fallback);
    CHECK(is_there(HOME "untracked.m4s")); /* all that was tracked is gone: nobody looks further */
    CHECK(is_there(OTHER "a.m4s"));
    CHECK_INT((long long)fake_rows.len, 1);
    CHECK_INT(clean(false, &result, &err), 0);
    CHECK(result.used_fallback);
    CHECK_STR(result.fallback_reason, "nothing was tracked");
    CHECK_INT(result.discovered_by_pattern, 1);
    CHECK_INT(result.bytes_freed, 5);
    CHECK(!is_there(HOME "untracked.m4s"));
    CHECK(is_there(OTHER "a.m4s"));
}

static void old_forms_are_found(void)
{
    static const char *const ours[] = {"proj_proj_p_s1_media.mp4",
                                       "projects/proj_p/scenes/s/media/a.mp4",
                                       "audio/proj_p/s/a.mp3", "projects/p/loose"};
    static const char *const others[] = {"proj_proj_p10_s1_media.mp4", "proj_proj_p_s1_other.mp4",
                                         "projects/proj_p10/scenes/s/media/a.mp4",
                                         "audio/proj_p10/s/a.mp3", "projects/p10/loose"};
    struct err err;
    struct cleanup_result result;
    begin();
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        put(ours[i]);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        put(others[i]);
    CHECK_INT(clean(false, &result, &err), 0);
    CHECK_INT(result.discovered_by_pattern, 4);
    CHECK_INT(result.bytes_freed, 20);
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        CHECK(!is_there(ours[i]));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        CHECK(is_there(others[i]));
}

static void another_tenants_rows_keep_their_objects(void)
{
    struct err err;
    struct cleanup_result result;
    begin();
    put(HOME "theirs.m4s");
    track("other", "p", HOME "theirs.m4s");
    CHECK_INT(clean(false, &result, &err), 0);
    CHECK_INT(result.discovered_by_pattern, 0);
    CHECK(is_there(HOME "theirs.m4s"));
    CHECK_INT((long long)fake_rows.len, 1);
}

static void records_alone_can_go(void)
{
    struct err err;
    struct cleanup_result result;
    begin();
    put(HOME "kept.m4s");
    track("t", "p", HOME "kept.m4s");
    CHECK_INT(clean(true, &result, &err), 0);
    CHECK_INT(result.records_deleted, 1);
    CHECK_INT(result.deleted, 0);
    CHECK(is_there(HOME "kept.m4s"));
    CHECK_INT((long long)fake_rows.len, 0);
    unlink(arena_printf(&memory, "%s/" HOME "kept.m4s", root));
}

/* 1,203 rows in three batches, every seventh without an object; killed at each checkpoint in turn.
 */
static void a_killed_run_counts_nothing_twice(void)
{
    enum { ROWS = 1203, MISSING = (ROWS + 6) / 7 };
    for (int at = 1; at <= 8; at++) {
        struct err err;
        struct cleanup_result result;
        begin();
        for (int i = 0; i < ROWS; i++) {
            const char *key = arena_printf(&memory, HOME "%05d.m4s", (i * 7919) % ROWS);
            track("t", "p", key);
            if (i % 7)
                put(key);
        }
        dies_in = at;
        int failed = clean(false, &result, &err);
        CHECK_INT(failed, at <= 6 ? -1 : 0);
        if (failed) {
            dies_in = 0;
            CHECK_INT(clean(false, &result, &err), 0);
        }
        CHECK_INT(result.tracked, ROWS);
        CHECK_INT(result.already_missing, MISSING);
        CHECK_INT(result.deleted, ROWS - MISSING);
        CHECK_INT(result.records_deleted, ROWS);
        CHECK_INT(result.bytes_freed, 5 * (ROWS - MISSING));
        CHECK_INT((long long)fake_rows.len, 0);
    }
}

/* A directory in an object's place cannot be unlinked. */
static void what_cannot_be_deleted_keeps_its_row(void)
{
    struct err err;
    struct cleanup_result result;
    begin();
    put(HOME "stuck/file");
    put(HOME "good.m4s");
    track("t", "p", HOME "stuck");
    track("t", "p", HOME "good.m4s");
    CHECK_INT(clean(false, &result, &err), -1);
    CHECK_INT(result.tracked, 2);
    CHECK_INT(result.deleted, 1);
    CHECK_INT(result.failed, 1);
    CHECK_STR(result.errors.at[0].key, HOME "stuck");
    CHECK_INT((long long)fake_rows.len, 1);
    /* The next run: somebody has put it right. */
    unlink(arena_printf(&memory, "%s/" HOME "stuck/file", root));
    rmdir(arena_printf(&memory, "%s/" HOME "stuck", root));
    put(HOME "stuck");
    CHECK_INT(clean(false, &result, &err), 0);
    CHECK_INT(result.tracked, 2);
    CHECK_INT(result.deleted, 2);
    CHECK_INT(result.failed, 0);
    CHECK_INT((long long)result.errors.len, 0);
    CHECK_INT((long long)fake_rows.len, 0);
}

int main(void)
{
    struct err err = {0};
    CHECK(mkdtemp(root));
    CHECK_INT(bucket_open(&slot.bucket, &config.bucket, &err), 0);
    RUN(rows_and_objects_go_together);
    RUN(old_forms_are_found);
    RUN(another_tenants_rows_keep_their_objects);
    RUN(records_alone_can_go);
    RUN(a_killed_run_counts_nothing_twice);
    RUN(what_cannot_be_deleted_keeps_its_row);
    bucket_free(slot.bucket);
    CHECK_INT(workspace_remove(root, &err), 0);
    arena_release(&memory);
    arena_release(&fake_rows.memory);
    return 0;
}
