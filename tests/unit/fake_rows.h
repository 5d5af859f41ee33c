/* The store's door to r2_file_paths in memory. For programs of one file. */
#ifndef TESTS_FAKE_ROWS_H
#define TESTS_FAKE_ROWS_H

#include "check.h"

#include "common/store.h"
#include "proto/file_path.h"

enum { FAKE_ROWS = 32768 };

static struct {
    struct arena memory;
    struct file_path at[FAKE_ROWS]; /* in the order of their ids, as they were added */
    size_t len;
} fake_rows;

static inline struct file_path *fake_row(const char *id)
{
    for (size_t i = 0; i < fake_rows.len; i++)
        if (strcmp(fake_rows.at[i].id, id) == 0)
            return &fake_rows.at[i];
    return NULL;
}

static inline bool fake_equal(const char *wanted, const char *is)
{
    return !wanted || (is && strcmp(wanted, is) == 0);
}

int store_find(struct store *store, const char *collection, const struct doc *doc,
               const struct store_page *page, struct arena *arena, void **out, size_t *len,
               struct err *err)
{
    (void)store, (void)doc, (void)err;
    CHECK_STR(collection, FILE_PATH_COLLECTION);
    const struct file_path *filter = page->filter;
    struct file_path *found = arena_alloc_array(arena, page->limit, sizeof *found);
    *len = 0;
    for (size_t i = 0; i < fake_rows.len && *len < page->limit; i++) {
        const struct file_path *row = &fake_rows.at[i];
        const char *key = page->order ? row->object_key : row->id; /* the same order in both */
        if ((!page->after || strcmp(key, page->after) > 0) &&
            (!page->prefix || strncmp(key, page->prefix, strlen(page->prefix)) == 0) &&
            fake_equal(filter->job, row->job) && fake_equal(filter->backend, row->backend))
            found[(*len)++] = *row;
    }
    *out = found;
    return 0;
}

static inline void fake_add_row(const struct file_path *row)
{
    CHECK(fake_rows.len < FAKE_ROWS);
    struct file_path *copy = &fake_rows.at[fake_rows.len++];
    *copy = *row;
    copy->id = arena_strdup(&fake_rows.memory, row->id);
    copy->object_key = arena_strdup(&fake_rows.memory, row->object_key);
    copy->job = arena_strdup(&fake_rows.memory, row->job);
    copy->backend = arena_strdup(&fake_rows.memory, row->backend);
    copy->sha256 = arena_strdup(&fake_rows.memory, row->sha256);
}

int store_upsert_many(struct store *store, const char *collection, const struct doc *doc,
                      const void *records, size_t len, struct err *err)
{
    (void)store, (void)collection, (void)doc, (void)err;
    const struct file_path *rows = records;
    for (size_t i = 0; i < len; i++) {
        struct file_path *known = fake_row(rows[i].id);
        if (known) {
            known->state = rows[i].state;
            known->created_at = rows[i].created_at;
            known->updated_at = rows[i].updated_at;
        } else {
            fake_add_row(&rows[i]);
        }
    }
    return 0;
}

int store_delete_many(struct store *store, const char *collection, const struct doc *doc,
                      const char *const *ids, size_t len, struct err *err)
{
    (void)store, (void)collection, (void)doc, (void)err;
    for (size_t i = 0; i < len; i++) {
        struct file_path *row = fake_row(ids[i]);
        if (!row)
            continue;
        fake_rows.len--;
        memmove(row, row + 1, (size_t)(&fake_rows.at[fake_rows.len] - row) * sizeof *row);
    }
    return 0;
}

#endif
