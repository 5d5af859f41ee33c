/* Workspace → bucket: row pending, object whole, row stored; playlists last. */
#include "worker/upload/upload.h"

#include <stdio.h>
#include <string.h>

#include "common/bucket_admin.h"
#include "common/projects.h"
#include "proto/upload.h"
#include "worker/upload/ledger.h"
#include "worker/upload/quota.h"

struct progress {
    struct run *run;
    int64_t sent, total;
};

static bool stopped(void *arg)
{
    const struct progress *progress = arg;
    return run_stopped(progress->run);
}

static void sent(void *arg, int64_t bytes)
{
    struct progress *progress = arg;
    char message[64];
    progress->sent += bytes;
    snprintf(message, sizeof message, "%.1f of %.1f MB", (double)progress->sent / 1e6,
             (double)progress->total / 1e6);
    run_progress(progress->run, progress->total ? progress->sent * 100 / progress->total : 0,
                 message);
}

static int send_batch(struct run *run, struct bucket *bucket, struct upload_file *files, size_t len,
                      struct progress *progress, struct err *err)
{
    struct arena *arena = run_arena(run);
    struct bucket_watch watch = {.stopped = stopped, .sent = sent, .arg = progress};
    struct bucket_put *puts = arena_alloc_array(arena, len, sizeof *puts);
    const char **etags = arena_alloc_array(arena, len, sizeof *etags);
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        if (!files[i].stored)
            puts[n++] = (struct bucket_put){.key = files[i].key,
                                            .path = files[i].path,
                                            .content_type = files[i].kind->content_type,
                                            .cache_control = files[i].kind->cache_control,
                                            .sha256 = files[i].sha256,
                                            .size_bytes = files[i].size_bytes};
    if (ledger_write(run, bucket, files, len, FILE_PENDING, NULL, err) ||
        bucket_put(bucket, puts, n, &watch, arena, err))
        return run_stopped(run) ? run_stop_error(run, err) : -1;
    n = 0;
    for (size_t i = 0; i < len; i++)
        etags[i] = files[i].stored ? files[i].etag : puts[n++].etag;
    return ledger_write(run, bucket, files, len, FILE_STORED, etags, err);
}

/* Length of the batch that begins at `from`: one rank, at most LEDGER_BATCH. */
static size_t batch_len(const struct upload_files *files, size_t from)
{
    size_t len = 0;
    while (from + len < files->len && len < LEDGER_BATCH &&
           files->at[from + len].rank == files->at[from].rank)
        len++;
    return len;
}

static int send_all(struct run *run, struct bucket *bucket, struct upload_files *files,
                    struct err *err)
{
    struct progress progress = {.run = run, .total = files->bytes};
    for (size_t i = 0; i < files->len; i++)
        if (files->at[i].stored)
            progress.sent += files->at[i].size_bytes;
    for (size_t from = 0, len; from < files->len; from += len) {
        len = batch_len(files, from);
        if (run_stopped(run))
            return run_stop_error(run, err);
        if (send_batch(run, bucket, files->at + from, len, &progress, err))
            return -1;
    }
    return 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static void describe(const struct upload_files *files, const struct bucket *bucket,
                     struct upload_result *result)
{
    const struct {
        const char *end;
        const char **key;
    } told[] = {{"/hls/master.m3u8", &result->playlist_key},
                {"/thumbnails/small.jpg", &result->small},
                {"/thumbnails/medium.jpg", &result->medium},
                {"/thumbnails/large.jpg", &result->large}};
    bool local = strcmp(bucket_backend(bucket), backend_names[BACKEND_NONE]) == 0;
    result->storage = local ? STORAGE_LOCAL_ONLY : STORAGE_STORED;
    result->files = (int64_t)files->len;
    result->bytes = files->bytes;
    for (size_t i = 0; i < files->len; i++) {
        const struct upload_file *file = &files->at[i];
        result->skipped += file->stored;
        if (file->kind->type == FILE_SOURCE && strstr(file->key, "/source/"))
            result->storage_key = file->key;
        for (size_t n = 0; n < sizeof told / sizeof told[0]; n++)
            if (ends_with(file->key, told[n].end))
                *told[n].key = file->key;
    }
}

/* What an earlier run that died had begun: open multipart uploads cost money and nobody else ends
 * them. A part of one that was still under way may outlive the end of its upload (S3's
 * AbortMultipartUpload says so), therefore before this run sends anything, and after it. */
static int end_earlier_uploads(struct run *run, struct bucket *bucket, const char *prefix,
                               struct err *err)
{
    return run_task(run)->run > 1 ? bucket_abort_uploads(bucket, prefix, NULL, err) : 0;
}

/* Asked once more, before anything is sent: the job may have come in while its project was deleted.
 */
static int check_project(struct run *run, int64_t bytes, struct err *err)
{
    const struct job *job = run_job(run);
    struct project project;
    if (projects_find(run_store(run), job->tenant, job->project_id, run_arena(run), &project, err) <
        0)
        return -1;
    return projects_check(&project, err) ? -1 : upload_quota_check(run, &project, bytes, err);
}

int upload(struct run *run, const void *params, void *out, struct err *err)
{
    const struct job *job = run_job(run);
    struct upload_result *result = out;
    struct upload_files files;
    struct bucket *bucket;
    char prefix[OBJECT_KEY_MAX + 1];
    (void)params;
    if (run_bucket(run, &bucket, err))
        return -1;
    if (!job->project_id || !job->scene ||
        file_prefix(job->project_id, job->scene, job->id, prefix))
        return err_set(err, ERR_INTERNAL, "the job's project and scene make no object key");
    if (upload_files_gather(run, prefix, bucket_compares(bucket), &files, err))
        return -1;
    result->storage = STORAGE_LOCAL_ONLY;
    if (files.len == 0)
        return 0;
    /* What is there is not sent again, in the first run either: a row may have been adopted. */
    if (check_project(run, files.bytes, err) || end_earlier_uploads(run, bucket, prefix, err) ||
        ledger_recognise(run, bucket, prefix, &files, err) || send_all(run, bucket, &files, err) ||
        end_earlier_uploads(run, bucket, prefix, err))
        return -1;
    run_usage(run, 0, files.bytes);
    describe(&files, bucket, result);
    return 0;
}
