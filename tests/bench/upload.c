/* Uploads a job's files as the upload worker does, but for the rows in the store: bench-upload
 * WORKSPACE PREFIX. The files are those of WORKSPACE/01J00000000000000000000001/download.1 and
 * transcode.1, the bucket is the environment's. Prints how many bytes of how many files; exit 1
 * prints the error's name. */
#include <inttypes.h>
#include <stdio.h>

#include "alone.h"
#include "common/doc_bson.h"
#include "proto/download.h"
#include "proto/transcode.h"
#include "worker/upload/ledger.h"

static struct task tasks[] = {
    {.name = "download", .kind = KIND_DOWNLOAD, .state = TASK_SUCCEEDED, .run = 1},
    {.name = "transcode", .kind = KIND_TRANSCODE, .state = TASK_SUCCEEDED, .run = 1},
    {.name = "upload",
     .kind = KIND_UPLOAD,
     .state = TASK_RUNNING,
     .run = 1,
     .lease_until = INT64_C(4102444800000)},
};
static struct job job = {.id = "01J00000000000000000000001", .tasks = {tasks, 3}};

static int put(struct run *run, struct bucket *bucket, const struct upload_file *files, size_t len,
               struct err *err)
{
    static const struct bucket_watch watch;
    struct bucket_put *puts = arena_alloc_array(run_arena(run), len, sizeof *puts);
    for (size_t i = 0; i < len; i++)
        puts[i] = (struct bucket_put){.key = files[i].key,
                                      .path = files[i].path,
                                      .content_type = files[i].kind->content_type,
                                      .cache_control = files[i].kind->cache_control,
                                      .sha256 = files[i].sha256,
                                      .size_bytes = files[i].size_bytes};
    return bucket_put(bucket, puts, len, &watch, run_arena(run), err);
}

static int put_all(struct run *run, const char *prefix, struct upload_files *files, struct err *err)
{
    struct bucket *bucket;
    if (run_bucket(run, &bucket, err) ||
        upload_files_gather(run, prefix, bucket_compares(bucket), files, err))
        return -1;
    for (size_t from = 0; from < files->len; from += LEDGER_BATCH) {
        size_t left = files->len - from;
        if (put(run, bucket, files->at + from, left < LEDGER_BATCH ? left : LEDGER_BATCH, err))
            return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct alone alone = {0};
    struct slot slot = {0};
    struct err err = {0};
    struct upload_files files;
    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: bench-upload WORKSPACE PREFIX [SHA256]\n");
        return 64;
    }
    if (alone_open(&alone, argv[1]))
        return 78;
    const struct download_result source = {.file = "source.mp4", .sha256 = argv[3]};
    static const struct transcode_result asset;
    tasks[0].result = doc_bson_pack(&download_result_doc, &source, &alone.arena);
    tasks[1].result = doc_bson_pack(&transcode_result_doc, &asset, &alone.arena);
    struct run *run = alone_run(&alone, &slot, &job, 2);
    int failed = put_all(run, argv[2], &files, &err);
    if (failed)
        printf("%s: %s\n", error_name(err.code), err.detail);
    else
        printf("%" PRId64 " bytes %zu files\n", files.bytes, files.len);
    run_free(run);
    bucket_free(slot.bucket);
    alone_close(&alone);
    return failed ? 1 : 0;
}
