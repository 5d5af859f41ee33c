/* Rows of r2_file_paths, from and for upload files. */
#include "worker/upload/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/doc_bson.h"
#include "common/file_id.h"
#include "proto/scene.h"

static struct file_path row(const struct run *run, struct bucket *bucket,
                            const struct upload_file *file, const struct media_store *asked,
                            struct arena *arena)
{
    const struct job *job = run_job(run);
    return (struct file_path){.id = file_id(bucket_backend(bucket), file->key, arena),
                              .project_id = job->project_id,
                              .object_key = file->key,
                              .scene_id = asked->scene_id ? asked->scene_id : job->scene,
                              .file_type = file->kind->type,
                              .user_id = asked->user_id,
                              .size_bytes = file->size_bytes,
                              .content_type = file->kind->content_type,
                              .created_at = file->created_at,
                              .updated_at = clock_now_ms(),
                              .tenant = job->tenant,
                              .job = job->id,
                              .backend = bucket_backend(bucket),
                              .bucket = bucket_name(bucket),
                              .sha256 = file->sha256};
}

int ledger_write(struct run *run, struct bucket *bucket, struct upload_file *files, size_t len,
                 enum file_state state, const char *const *etags, struct err *err)
{
    struct arena *arena = run_arena(run);
    struct media_store asked;
    if (doc_bson_unpack(&media_store_doc, &run_job(run)->params, arena, &asked, err))
        return -1;
    struct file_path *rows = arena_alloc_array(arena, len, sizeof *rows);
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (state == FILE_PENDING ? files[i].stored : files[i].tracked)
            continue;
        if (files[i].created_at == 0)
            files[i].created_at = clock_now_ms();
        rows[n] = row(run, bucket, &files[i], &asked, arena);
        rows[n].state = state;
        rows[n++].etag = etags ? etags[i] : NULL;
    }
    return n ? store_upsert_many(run_store(run), FILE_PATH_COLLECTION, &file_path_doc, rows, n, err)
             : 0;
}

static bool is_same(const char *sha256, const struct upload_file *file)
{
    return sha256 && strcmp(sha256, file->sha256) == 0;
}

/* What a row in the state `stored` says of its object's content is believed; a pending one was
 * written before the object, an adopted one may not know: then the object says what it was sent
 * with. */
static int recognise(struct run *run, struct bucket *bucket, struct upload_file *file,
                     const struct file_path *known, struct err *err)
{
    struct object object;
    bool told = known->state == FILE_STORED && known->sha256;
    file->created_at = known->created_at;
    if (known->state == FILE_DELETING || known->size_bytes != file->size_bytes ||
        (told && !is_same(known->sha256, file)))
        return 0;
    if (bucket_head(bucket, file->key, run_arena(run), &object, err)) {
        if (err->code != ERR_OBJECT_NOT_FOUND)
            return -1;
        *err = (struct err){0};
        return 0;
    }
    file->stored = object.size_bytes == file->size_bytes && (told || is_same(object.sha256, file));
    file->tracked = file->stored && told && known->job && strcmp(known->job, run_job(run)->id) == 0;
    file->etag = object.etag;
    return 0;
}

int ledger_recognise(struct run *run, struct bucket *bucket, const char *prefix,
                     struct upload_files *files, struct err *err)
{
    struct file_path filter = {.backend = bucket_backend(bucket)};
    struct store_page page = {
        .filter = &filter, .limit = LEDGER_BATCH, .order = "object_key", .prefix = prefix};
    void *found;
    size_t len;
    do {
        if (store_find(run_store(run), FILE_PATH_COLLECTION, &file_path_doc, &page, run_arena(run),
                       &found, &len, err))
            return -1;
        struct file_path *rows = found;
        if (len == 0)
            return 0;
        page.after = rows[len - 1].object_key;
        for (size_t i = 0; i < files->len; i++) {
            struct file_path wanted = {.object_key = files->at[i].key};
            const struct file_path *known =
                bsearch(&wanted, rows, len, sizeof *rows, file_path_by_key);
            if (run_stopped(run))
                return run_stop_error(run, err);
            if (known && recognise(run, bucket, &files->at[i], known, err))
                return -1;
        }
    } while (len == LEDGER_BATCH);
    return 0;
}
