/* Two cursors; whichever is behind is taken from. Keys are compared by their bytes, as both sides
 * sort them. */
#include "worker/storage/scan.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"

static const char *begin_after(const struct scan *scan, const struct scan_end *end)
{
    return end->last[0] ? end->last : scan->after;
}

static void begin_page(struct scan_end *end, size_t len)
{
    end->at = 0;
    end->len = len;
    end->ended = len < SCAN_PAGE;
}

static int fill_objects(struct scan *scan, struct err *err)
{
    struct scan_end *end = &scan->listing;
    arena_reset(&end->arena);
    scan->listed_at = clock_now_ms();
    if (bucket_list(scan->bucket, scan->prefix ? scan->prefix : "", begin_after(scan, end),
                    SCAN_PAGE, &end->arena, &scan->objects, err))
        return -1;
    begin_page(end, scan->objects.len);
    return 0;
}

static int fill_rows(struct scan *scan, struct err *err)
{
    struct scan_end *end = &scan->ledger;
    const struct file_path filter = {.backend = bucket_backend(scan->bucket)};
    const struct store_page page = {.filter = &filter,
                                    .after = begin_after(scan, end),
                                    .limit = SCAN_PAGE,
                                    .order = "object_key",
                                    .prefix = scan->prefix};
    void *rows;
    size_t len;
    arena_reset(&end->arena);
    if (store_find(scan->store, FILE_PATH_COLLECTION, &file_path_doc, &page, &end->arena, &rows,
                   &len, err))
        return -1;
    scan->rows = rows;
    begin_page(end, len);
    return 0;
}

/* Takes the key: it must be behind the one before. A page that is used up is let go before the next
 * one is asked for. */
static int pass(struct scan_end *end, const char *key, const char *whose, struct err *err)
{
    size_t len = strlen(key);
    if (len >= sizeof end->last || strcmp(key, end->last) <= 0)
        return err_set(err, ERR_CONFIG, "%s lists '%.200s' out of order", whose, key);
    memcpy(end->last, key, len + 1);
    end->at++;
    return 0;
}

static bool is_used_up(const struct scan_end *end)
{
    return end->at == end->len && !end->ended;
}

int scan_next(struct scan *scan, struct scan_pair *out, struct err *err)
{
    /* Rows first: an object that came after its row was read has a newer listing to show it. */
    if (is_used_up(&scan->ledger) && fill_rows(scan, err))
        return -1;
    if (is_used_up(&scan->listing) && fill_objects(scan, err))
        return -1;
    const struct object *object =
        scan->listing.at < scan->listing.len ? &scan->objects.at[scan->listing.at] : NULL;
    const struct file_path *row =
        scan->ledger.at < scan->ledger.len ? &scan->rows[scan->ledger.at] : NULL;
    int order = !object ? 1 : !row ? -1 : strcmp(object->key, row->object_key);
    *out = (struct scan_pair){.key = NULL};
    if (!object && !row)
        return 0;
    if (order <= 0) {
        out->object = object;
        out->key = object->key;
        if (pass(&scan->listing, object->key, bucket_backend(scan->bucket), err))
            return -1;
    }
    if (order >= 0) {
        out->row = row;
        out->key = row->object_key;
        if (pass(&scan->ledger, row->object_key, "the store", err))
            return -1;
    }
    return 1;
}

void scan_release(struct scan *scan)
{
    arena_release(&scan->listing.arena);
    arena_release(&scan->ledger.arena);
}
