/* What is found in the workspace must be what the earlier tasks wrote. */
#include "check.h"

#include <sys/stat.h>
#include <unistd.h>

#include "common/digest.h"
#include "common/doc_bson.h"
#include "proto/download.h"
#include "proto/transcode.h"
#include "worker/held.h"
#include "worker/upload/files.h"
#include "worker/workspace.h"

/* The fake door: held_done wakes the consumer. */
void broker_wake(struct broker *broker)
{
    (void)broker;
}

static char root[] = "/tmp/files-test-XXXXXX";
static struct worker_config config = {.fleet = {.workspace = root}};
static struct runtime runtime = {.config = &config};
static struct task tasks[] = {
    {.name = "download", .kind = KIND_DOWNLOAD, .state = TASK_SUCCEEDED, .run = 1},
    {.name = "transcode", .kind = KIND_TRANSCODE, .state = TASK_SUCCEEDED, .run = 2},
    {.name = "upload",
     .kind = KIND_UPLOAD,
     .state = TASK_RUNNING,
     .run = 1,
     .lease_until = INT64_C(4102444800000)},
};
static struct job job = {.id = "01J00000000000000000000001", .tasks = {tasks, 3}};
static struct arena memory;

/* What the tasks say that they wrote. */
static struct run *new_run(int64_t source_bytes, int64_t asset_bytes)
{
    static const struct delivery none;
    const struct download_result source = {.file = "source.mp4", .size_bytes = source_bytes};
    const struct transcode_result asset = {.bytes = asset_bytes};
    tasks[0].result = doc_bson_pack(&download_result_doc, &source, &memory);
    tasks[1].result = doc_bson_pack(&transcode_result_doc, &asset, &memory);
    struct lot *lot = lot_new();
    struct run *run = run_new(&runtime, lot, &job, 2, &none);
    lot_drop(lot);
    return run;
}

static void write_file(const char *dir, const char *name, int len)
{
    struct err err = {0};
    CHECK_INT(workspace_make(dir, &err), 0);
    FILE *file = fopen(arena_printf(&memory, "%s/%s", dir, name), "w");
    CHECK(file);
    fprintf(file, "%*s", len, "x");
    CHECK_INT(fclose(file), 0);
}

static enum error gather(int64_t source_bytes, int64_t asset_bytes, size_t files)
{
    struct err err = {0};
    struct upload_files found;
    struct run *run = new_run(source_bytes, asset_bytes);
    int failed = upload_files_gather(run, "p/", false, &found, &err);
    if (!failed)
        CHECK_INT(found.len, files);
    CHECK(!failed || strstr(err.detail, "not"));
    run_free(run);
    return failed ? err.code : ERR_NONE;
}

static void what_is_whole_is_taken(void)
{
    char *job_dir = arena_printf(&memory, "%s/%s", root, job.id);
    write_file(arena_printf(&memory, "%s/download.1", job_dir), "source.mp4", 100);
    CHECK_INT(gather(100, 0, 1), ERR_NONE);
    write_file(arena_printf(&memory, "%s/transcode.2/v360", job_dir), "00001.m4s", 30);
    write_file(arena_printf(&memory, "%s/transcode.2", job_dir), "master.m3u8", 20);
    CHECK_INT(gather(100, 50, 3), ERR_NONE);
}

static void what_is_cut_short_is_not(void)
{
    CHECK_INT(gather(101, 50, 3), ERR_IO_ERROR);
    CHECK_INT(gather(100, 51, 3), ERR_IO_ERROR);
}

/* Another language's worker may not say how much it wrote. */
static void what_nobody_said_is_not_compared(void)
{
    CHECK_INT(gather(0, 0, 3), ERR_NONE);
}

static void what_is_gone_is_missed(void)
{
    struct err err = {0};
    CHECK_INT(workspace_remove(arena_printf(&memory, "%s/%s/transcode.2", root, job.id), &err), 0);
    CHECK_INT(gather(100, 50, 1), ERR_IO_ERROR);
    CHECK_INT(gather(100, 0, 1), ERR_NONE); /* an image has no film */
}

/* Of the one file, which the download says has `said` as its sum. */
static const char *sum_of(const char *file, const char *said, bool compares)
{
    static char sum[DIGEST_HEX_LEN + 1];
    struct err err = {0};
    struct upload_files found;
    struct run *run = new_run(100, 0);
    const struct download_result source = {.file = file, .size_bytes = 100, .sha256 = said};
    tasks[0].result = doc_bson_pack(&download_result_doc, &source, &memory);
    CHECK_INT(upload_files_gather(run, "p/", compares, &found, &err), 0);
    CHECK_INT(found.len, 1);
    snprintf(sum, sizeof sum, "%s", found.at[0].sha256);
    run_free(run);
    return sum;
}

/* A sum that is compared when the file is sent need not be made anew; one that says nothing of it
 * must be. */
static void the_download_knows_the_sum(void)
{
    char *said = arena_printf(&memory, "%064d", 7),
         *own = arena_strdup(&memory, sum_of("source.mp4", NULL, true));
    CHECK_INT(strlen(own), DIGEST_HEX_LEN);
    CHECK_STR(sum_of("source.mp4", said, true), said);
    CHECK_STR(sum_of("source.mp4", said, false), own);
    CHECK_STR(sum_of("another.mp4", said, true), own);
    CHECK_STR(sum_of("source.mp4", "7", true), own);
}

int main(void)
{
    struct err err = {0};
    CHECK(mkdtemp(root));
    RUN(what_is_whole_is_taken);
    RUN(what_is_cut_short_is_not);
    RUN(what_nobody_said_is_not_compared);
    RUN(what_is_gone_is_missed);
    RUN(the_download_knows_the_sum);
    arena_release(&memory);
    CHECK_INT(workspace_remove(root, &err), 0);
    return 0;
}
