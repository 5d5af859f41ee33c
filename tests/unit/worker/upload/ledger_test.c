/* Which files an earlier run has stored already. */
#include "check.h"
#include "fake_rows.h"

#include <unistd.h>

#include "common/clock.h"
#include "common/doc_bson.h"
#include "proto/scene.h"
#include "worker/held.h"
#include "worker/upload/ledger.h"
#include "worker/workspace.h"

enum { FILES = 1200 }; /* more than a page */

static char root[] = "/tmp/ledger-test-XXXXXX";
static struct runtime runtime;
static struct task task = {.name = "upload", .kind = KIND_UPLOAD, .run = 2};
static struct job job = {.id = "01J00000000000000000000001", .tasks = {&task, 1}};
static struct arena memory;
static struct bucket *bucket;
static struct upload_file files[FILES];

static struct run *new_run(void)
{
    static const struct delivery none;
    struct lot *lot = lot_new();
    task.lease_until = INT64_C(4102444800000);
    struct run *run = run_new(&runtime, lot, &job, 0, &none);
    lot_drop(lot);
    return run;
}

static void gather(void)
{
    for (int i = 0; i < FILES; i++) {
        files[i] = (struct upload_file){.key = arena_printf(&memory, "p/%04d.m4s", i),
                                        .kind = file_kind("a.m4s"),
                                        .sha256 = "same"};
        fake_add_row(&(struct file_path){.id = arena_printf(&memory, "%04d", i),
                                         .object_key = files[i].key,
                                         .job = job.id,
                                         .backend = "local",
                                         .sha256 = "same",
                                         .state = FILE_STORED});
    }
}

static void only_what_is_there_whole_is_recognised(void)
{
    char path[] = "/tmp/ledger-file-XXXXXX";
    struct err err = {0};
    struct run *run = new_run();
    struct upload_files all = {.at = files, .len = FILES};
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    close(fd);
    const int stored[] = {0, 1, 2, 3, 1199};
    for (size_t i = 0; i < 5; i++) {
        struct bucket_put put = {.key = files[stored[i]].key, .path = path};
        CHECK_INT(bucket_put(bucket, &put, 1, NULL, &memory, &err), 0);
    }
    unlink(path);
    files[1].size_bytes = 1;
    fake_row("0002")->state = FILE_PENDING;
    fake_row("0003")->sha256 = "other";
    CHECK_INT(ledger_recognise(run, bucket, "p/", &all, &err), 0);
    for (int i = 0; i < FILES; i++) {
        CHECK_INT(files[i].stored, i == 0 || i == 1199);
        CHECK_INT(files[i].tracked, files[i].stored);
    }
    run_free(run);
}

/* Adopted by somebody else: sent once is enough, but the row is this job's from now on. */
static void a_row_of_another_job_is_taken_over(void)
{
    struct err err = {0};
    struct run *run = new_run();
    struct upload_files all = {.at = files, .len = FILES};
    fake_row("0000")->job = NULL;
    files[0].stored = files[0].tracked = false;
    CHECK_INT(ledger_recognise(run, bucket, "p/", &all, &err), 0);
    CHECK(files[0].stored && !files[0].tracked && files[0].etag);
    run_free(run);
}

/* Written whole twice, by each run: the first write's time stays. */
static void a_row_keeps_the_time_when_it_was_made(void)
{
    struct err err = {0};
    const struct media_store asked = {.url = "http://example.org/a.mp4", .project_id = "p"};
    job.params = doc_bson_pack(&media_store_doc, &asked, &memory);
    struct run *run = new_run();
    struct upload_file one = {.key = "p/new.m4s", .kind = file_kind("a.m4s"), .sha256 = "same"};
    int64_t began = clock_now_ms();
    CHECK_INT(ledger_write(run, bucket, &one, 1, FILE_PENDING, NULL, &err), 0);
    struct file_path *row = &fake_rows.at[fake_rows.len - 1];
    CHECK_STR(row->object_key, "p/new.m4s");
    CHECK(row->created_at >= began);
    row->created_at = one.created_at = began - 60000;
    CHECK_INT(ledger_write(run, bucket, &one, 1, FILE_STORED, NULL, &err), 0);
    CHECK_INT(row->state, FILE_STORED);
    CHECK_INT(row->created_at, began - 60000);
    CHECK(row->updated_at >= began);
    run_free(run);
}

static void what_an_earlier_run_began_keeps_its_time(void)
{
    struct err err = {0};
    struct run *run = new_run();
    struct upload_files all = {.at = files, .len = FILES};
    fake_row("0007")->created_at = 12345;
    fake_row("0007")->state = FILE_PENDING;
    CHECK_INT(ledger_recognise(run, bucket, "p/", &all, &err), 0);
    CHECK(!files[7].stored);
    CHECK_INT(files[7].created_at, 12345);
    run_free(run);
}

/* There is a question to the bucket for each file: minutes, for a long film. */
static void a_stop_is_heard_in_between(void)
{
    struct err err = {0};
    struct run *run = new_run();
    struct upload_files all = {.at = files, .len = FILES};
    run_stop(run, ERR_CANCELLED);
    CHECK_INT(ledger_recognise(run, bucket, "p/", &all, &err), -1);
    CHECK_INT(err.code, ERR_CANCELLED);
    run_free(run);
}

int main(void)
{
    struct err err = {0};
    CHECK(mkdtemp(root));
    const struct bucket_settings settings = {.backend = BACKEND_LOCAL, .media_root = root};
    CHECK_INT(bucket_open(&bucket, &settings, &err), 0);
    gather();
    RUN(only_what_is_there_whole_is_recognised);
    RUN(a_row_of_another_job_is_taken_over);
    RUN(a_stop_is_heard_in_between);
    RUN(what_an_earlier_run_began_keeps_its_time);
    RUN(a_row_keeps_the_time_when_it_was_made);
    bucket_free(bucket);
    arena_release(&memory);
    arena_release(&fake_rows.memory);
    CHECK_INT(workspace_remove(root, &err), 0);
    return 0;
}
