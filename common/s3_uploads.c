/* Uploads that were begun and neither completed nor aborted: found, counted, ended. */
#include <string.h>

#include "common/clock.h"
#include "common/s3_ops.h"
#include "common/s3_xml.h"

enum {
    PAGE = 1000, /* S3's own bound */
    ABORT_ROUNDS = 100
};

/* A page of ListMultipartUploads while it is read. */
struct page {
    struct arena *arena;
    struct upload *at, now;
    size_t len, limit;
    bool truncated;
};

static int read_upload(struct page *page, const char *name, const char *text)
{
    struct upload *now = &page->now;
    if (strcmp(name, "Key") == 0)
        now->key = arena_strdup(page->arena, text);
    else if (strcmp(name, "UploadId") == 0)
        now->id = arena_strdup(page->arena, text);
    else if (strcmp(name, "Initiated") == 0 && clock_parse(text, &now->begun_at))
        now->begun_at = 0;
    return 0;
}

static int read_page(void *arg, const char *path, const char *text)
{
    static const char upload[] = "ListMultipartUploadsResult/Upload";
    struct page *page = arg;
    if (strcmp(path, "ListMultipartUploadsResult/IsTruncated") == 0)
        page->truncated = strcmp(text, "true") == 0;
    if (strncmp(path, upload, sizeof upload - 1) != 0)
        return 0;
    if (path[sizeof upload - 1] == '/')
        return read_upload(page, path + sizeof upload, text);
    if (path[sizeof upload - 1] != '\0')
        return 0;
    if (!page->now.key || !page->now.id || page->len == page->limit)
        return -1;
    page->at[page->len++] = page->now;
    page->now = (struct upload){0};
    return 0;
}

static int list_page(struct s3 *s3, const char *prefix, const struct upload *after,
                     struct page *page, struct err *err)
{
    struct s3_call call = {.method = "GET", .arena = page->arena, .max_bytes = S3_ANSWER_BYTES};
    s3_query(&call, "uploads", "");
    s3_query(&call, "prefix", prefix);
    s3_query(&call, "max-uploads", arena_printf(page->arena, "%zu", page->limit));
    if (after) {
        s3_query(&call, "key-marker", after->key);
        if (after->id)
            s3_query(&call, "upload-id-marker", after->id);
    }
    if (s3_perform(s3, &call, err))
        return err->code == ERR_OBJECT_NOT_FOUND ? (err->code = ERR_STORAGE_BUCKET, -1) : -1;
    const struct text *text = &call.http.text;
    if (s3_xml_read(text->len ? text->at : "", text->len, "ListMultipartUploadsResult", read_page,
                    page, err))
        return -1;
    for (size_t i = 0; i < page->len; i++)
        if (strncmp(page->at[i].key, prefix, strlen(prefix)) != 0)
            return err_set(err, ERR_STORAGE_UNAVAILABLE,
                           "the storage listed uploads that were not asked for");
    if (page->truncated && page->len == 0)
        return err_set(err, ERR_STORAGE_UNAVAILABLE,
                       "the storage listed no uploads, but there are more");
    return 0;
}

/* What comes after a page that was cut: the uploads of its last key are left to the next one, so
 * that the key alone says where to go on. Servers disagree about upload-id-marker; it is needed
 * only when the page is of one key. */
static const struct upload *cut(struct page *page)
{
    size_t len = page->len;
    struct upload *next = arena_alloc(page->arena, sizeof *next);
    const char *last = page->at[len - 1].key;
    *next = page->at[len - 1];
    while (len > 0 && strcmp(page->at[len - 1].key, last) == 0)
        len--;
    if (len == 0)
        return next;
    page->len = len;
    *next = (struct upload){.key = page->at[len - 1].key};
    return next;
}

/* Else a server that does not heed markers would give the same page for ever. */
static int check_progress(const struct page *page, const struct upload *after, struct err *err)
{
    int order = strcmp(after->key, page->at[0].key);
    if (order < 0 || (order == 0 && after->id && strcmp(after->id, page->at[0].id) != 0))
        return 0;
    return err_set(err, ERR_STORAGE_UNAVAILABLE, "the storage lists the same uploads again");
}

int s3_list_uploads(struct bucket *bucket, const char *prefix, const struct upload *after,
                    size_t limit, struct arena *arena, struct uploads *out, struct err *err)
{
    struct page page = {.arena = arena, .limit = limit < PAGE ? limit : PAGE};
    page.at = arena_alloc_array(arena, page.limit, sizeof *page.at);
    if (list_page((struct s3 *)bucket, prefix, after, &page, err))
        return -1;
    if (after && page.len > 0 && check_progress(&page, after, err))
        return -1;
    const struct upload *next = page.truncated ? cut(&page) : NULL;
    *out = (struct uploads){page.at, page.len, next};
    return 0;
}

int s3_abort_upload(struct bucket *bucket, const struct upload *upload, bool *aborted,
                    struct err *err)
{
    struct arena arena = {0};
    struct s3_call call = {.method = "DELETE", .key = upload->key, .arena = &arena};
    s3_query(&call, "uploadId", upload->id);
    int result = s3_perform((struct s3 *)bucket, &call, err);
    if (result && strcmp(call.code, "NoSuchUpload") == 0)
        result = 0;
    *aborted = result == 0;
    arena_release(&arena);
    return result;
}

/* Lists from the start each time: what was aborted is not there any more. */
static int abort_round(struct bucket *bucket, const char *prefix, struct arena *arena,
                       size_t *aborted, struct err *err)
{
    struct uploads uploads;
    if (s3_list_uploads(bucket, prefix, NULL, PAGE, arena, &uploads, err))
        return -1;
    for (size_t i = 0; i < uploads.len; i++) {
        bool gone;
        if (s3_abort_upload(bucket, &uploads.at[i], &gone, err))
            return -1;
    }
    *aborted += uploads.len;
    return uploads.len > 0;
}

int s3_abort_uploads(struct bucket *bucket, const char *prefix, size_t *aborted, struct err *err)
{
    int more = 1;
    for (int i = 0; more > 0 && i < ABORT_ROUNDS; i++) {
        struct arena arena = {0};
        more = abort_round(bucket, prefix, &arena, aborted, err);
        arena_release(&arena);
    }
    if (more > 0)
        return err_set(err, ERR_STORAGE_UNAVAILABLE, "uploads under '%.200s' do not go away",
                       prefix);
    return more;
}
