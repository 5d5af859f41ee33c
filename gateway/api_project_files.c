/* A project's files: listed, and cleaned up on request without deleting the project. */
#include <string.h>

#include "common/clock.h"
#include "common/discover.h"
#include "common/id.h"
#include "common/projects.h"
#include "gateway/handlers.h"
#include "gateway/project.h"
#include "proto/answer.h"
#include "proto/project_view.h"

enum { PREVIEW_MS = 1000, PREVIEW_PAGE = 500 };

static int total(struct api *api, const struct file_path *filter, struct arena *arena,
                 int64_t *count, int64_t *bytes, struct err *err)
{
    struct store_sum *sum;
    size_t len;
    if (store_sum(api->services->store, FILE_PATH_COLLECTION, &file_path_doc, filter, NULL,
                  "size_bytes", 1, arena, &sum, &len, err))
        return -1;
    *count = len ? sum->count : 0;
    *bytes = len ? sum->total : 0;
    return 0;
}

static int rows(struct api *api, const struct file_path *filter, const char *after, size_t limit,
                struct arena *arena, struct file_path **out, size_t *len, struct err *err)
{
    const struct store_page page = {
        .filter = filter, .order = "object_key", .after = after, .limit = limit};
    void *found;
    if (store_find(api->services->store, FILE_PATH_COLLECTION, &file_path_doc, &page, arena, &found,
                   len, err))
        return -1;
    *out = found;
    return 0;
}

static struct file_view view(const struct file_path *row)
{
    return (struct file_view){.id = row->id,
                              .object_key = row->object_key,
                              .scene_id = row->scene_id,
                              .file_type = row->file_type,
                              .user_id = row->user_id,
                              .size_bytes = row->size_bytes,
                              .content_type = row->content_type,
                              .metadata = row->metadata,
                              .state = row->state,
                              .created_at = row->created_at,
                              .updated_at = row->updated_at};
}

/* One more than the page is read, to know whether there is a next one. */
API_ANSWER(api_project_files)
{
    const struct file_search *search = in;
    struct file_page *page = out;
    size_t limit = search->limit ? (size_t)search->limit : PROJECT_FILES_MAX, len;
    struct file_path *found;
    if (api_project(request, &page->project_id, err))
        return -1;
    const struct file_path filter = {.tenant = request->who.tenant, .project_id = page->project_id};
    if (total(api, &filter, &request->arena, &page->count, &page->total_size_bytes, err) ||
        rows(api, &filter, search->cursor, limit + 1, &request->arena, &found, &len, err))
        return -1;
    page->files.len = len < limit ? len : limit;
    page->files.at =
        arena_alloc_array(&request->arena, page->files.len + 1, sizeof *page->files.at);
    for (size_t i = 0; i < page->files.len; i++)
        page->files.at[i] = view(&found[i]);
    if (len > limit)
        page->next = found[limit - 1].object_key;
    return 0;
}

/* --- what a cleanup would do --- */

static void add_key(struct strs *keys, const char *key)
{
    if (keys->len < PREVIEW_KEYS_MAX)
        keys->at[keys->len++] = key;
}

static void take(struct cleanup_preview *preview, const struct discoveries *found)
{
    for (size_t i = 0; i < found->len; i++) {
        const struct discovered *one = &found->at[i];
        struct cleanup_errors *errors = &preview->errors;
        if (one->code == ERR_NONE) {
            preview->discovered_by_pattern++;
            preview->discovered_bytes += one->object.size_bytes;
            add_key(&preview->discovered_keys, one->object.key);
        } else if (errors->len < CLEANUP_ERRORS_MAX) {
            errors->at[errors->len++] =
                (struct cleanup_error){one->object.key, one->code, one->detail};
        }
    }
}

static int discover_all(struct request *request, struct discover *discover,
                        struct cleanup_preview *preview, struct err *err)
{
    struct discoveries found = {0};
    for (int i = 0; i < PATTERN_COUNT; i++) {
        const char *after = NULL;
        do {
            if (clock_mono_ms() - request->began_ms > PREVIEW_MS) {
                preview->incomplete = true;
                return 0;
            }
            if (discover_page(discover, (enum project_pattern)i, after, PREVIEW_PAGE,
                              &request->arena, &found, err))
                return -1;
            take(preview, &found);
            after = found.last;
        } while (after);
    }
    return 0;
}

static int look_into_bucket(struct api *api, struct request *request,
                            struct cleanup_preview *preview, struct err *err)
{
    struct bucket *bucket;
    struct discover *discover;
    if (api_bucket(api, &bucket, err) ||
        discover_open(&discover, api->services->store, bucket, request->who.tenant,
                      preview->project_id, err))
        return -1;
    int failed = discover_all(request, discover, preview, err);
    discover_free(discover);
    return failed;
}

static int fill_preview(struct api *api, struct request *request, struct cleanup_preview *preview,
                        struct err *err)
{
    struct arena *arena = &request->arena;
    const struct file_path filter = {.tenant = request->who.tenant,
                                     .project_id = preview->project_id};
    struct file_path *found;
    size_t len;
    preview->dry_run = true;
    preview->keys.at = arena_alloc_array(arena, PREVIEW_KEYS_MAX, sizeof *preview->keys.at);
    preview->discovered_keys.at =
        arena_alloc_array(arena, PREVIEW_KEYS_MAX, sizeof *preview->discovered_keys.at);
    preview->errors.at = arena_alloc_array(arena, CLEANUP_ERRORS_MAX, sizeof *preview->errors.at);
    if (total(api, &filter, arena, &preview->tracked, &preview->tracked_bytes, err) ||
        rows(api, &filter, NULL, PREVIEW_KEYS_MAX, arena, &found, &len, err))
        return -1;
    for (size_t i = 0; i < len; i++)
        add_key(&preview->keys, found[i].object_key);
    return preview->delete_records_only ? 0 : look_into_bucket(api, request, preview, err);
}

/* --- and doing it --- */

static int start(struct api *api, struct request *request, const char *id, bool records_only,
                 struct err *err)
{
    const struct projects_step step = {.store = api->services->store,
                                       .tenant = request->who.tenant,
                                       .project = id,
                                       .by = request->who.name};
    const struct cleanup_params params = {.project_id = id, .delete_records_only = records_only};
    int64_t now = clock_now_ms();
    char ulid[ID_ULID_LEN + 1];
    struct err lost = {0};
    id_ulid(now, ulid);
    const struct job *job = projects_cleanup_job(&step, ulid, 0, &params, &request->arena);
    if (projects_insert_job(api->services->store, job, err))
        return -1;
    /* If the ticket is lost the alarm comes. */
    (void)reconcile_publish(api->services->publisher, job, now, &lost);
    struct accepted accepted = {.task_id = job->id,
                                .status_url =
                                    arena_printf(&request->arena, "/api/v1/jobs/%s", job->id)};
    reply_document(request, 202, &accepted_doc, &accepted);
    reply_header(request, "Location", accepted.status_url);
    reply_header(request, "Retry-After", "1");
    return 0;
}

API_ANSWER(api_project_cleanup)
{
    const struct cleanup_request *asked = in;
    struct cleanup_preview *preview = out;
    if (api_project(request, &preview->project_id, err))
        return -1;
    preview->delete_records_only = asked->delete_records_only == YES;
    return asked->dry_run == NO
               ? start(api, request, preview->project_id, preview->delete_records_only, err)
               : fill_preview(api, request, preview, err);
}
