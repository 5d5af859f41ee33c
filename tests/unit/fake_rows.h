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

static inline bool fake_matches(const struct file_path *filter, const struct file_path *row)
{
    return fake_equal(filter->job, row->job) && fake_equal(filter->backend, row->backend) &&
           fake_equal(filter->tenant, row->tenant) &&
           fake_equal(filter->project_id, row->project_id);
}

/* By id, or by key: pages are sorted, whatever the order of adding. Other collections are empty. */
int store_find(struct store *store, const char *collection, const struct doc *doc,
               const struct store_page *page, struct arena *arena, void **out, size_t *len,
               struct err *err)
{
    (void)store, (void)doc, (void)err;
    struct file_path *found = arena_alloc_array(arena, page->limit + 1, sizeof *found);
    *out = found;
    *len = 0;
    if (strcmp(collection, FILE_PATH_COLLECTION) != 0)
        return 0;
    for (size_t i = 0; i < fake_rows.len && (page->order || *len < page->limit); i++) {
        const struct file_path *row = &fake_rows.at[i];
        const char *key = page->order ? row->object_key : row->id;
        if ((page->after && strcmp(key, page->after) <= 0) ||
            (page->prefix && strncmp(key, page->prefix, strlen(page->prefix)) != 0) ||
            !fake_matches(page->filter, row))
            continue;
        size_t at = *len;
        while (page->order && at > 0 && file_path_by_key(&found[at - 1], row) > 0)
            at--;
        if (at == page->limit)
            continue;
        memmove(found + at + 1, found + at, (*len - at) * sizeof *found);
        found[at] = *row;
        *len += *len < page->limit;
    }
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
    copy->tenant = arena_strdup(&fake_rows.memory, row->tenant);
    copy->project_id = arena_strdup(&fake_rows.memory, row->project_id);
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

static int fake_inserts; /* of other records: jobs, lines of the audit */
int store_insert(struct store *store, const char *collection, const struct doc *doc,
                 const void *record, struct err *err)
{
    (void)store, (void)collection, (void)doc, (void)record, (void)err;
    fake_inserts++;
    return 0;
}

int store_update(struct store *store, const char *collection, const struct doc *doc,
                 const void *filter, const void *set, const char *const *unset, bool upsert,
                 struct err *err)
{
    (void)store, (void)collection, (void)doc, (void)filter, (void)set, (void)unset, (void)err;
    return !upsert;
}

int store_sum(struct store *store, const char *collection, const struct doc *doc,
              const void *filter, const char *by, const char *sum, size_t limit,
              struct arena *arena, struct store_sum **out, size_t *len, struct err *err)
{
    (void)store, (void)collection, (void)doc, (void)by, (void)sum, (void)limit, (void)err;
    *out = arena_alloc(arena, sizeof **out);
    (*out)->key = "local";
    for (size_t i = 0; i < fake_rows.len; i++)
        (*out)->count += fake_matches(filter, &fake_rows.at[i]);
    *len = (*out)->count > 0;
    return 0;
}

int store_get(struct store *store, const char *collection, const struct doc *doc,
              const void *filter, struct arena *arena, void *out, struct err *err)
{
    (void)store, (void)collection, (void)filter, (void)arena, (void)out;
    return err_set(err, ERR_NOT_FOUND, "there is no such %s", doc->name);
}

int store_by_ids(struct store *store, const char *collection, const struct doc *doc,
                 const char *const *ids, size_t len, struct arena *arena, void **out,
                 size_t *out_len, struct err *err)
{
    (void)store, (void)collection, (void)doc, (void)err;
    struct file_path *found = arena_alloc_array(arena, len + 1, sizeof *found);
    *out = found;
    *out_len = 0;
    for (size_t i = 0; i < len; i++)
        if (fake_row(ids[i]))
            found[(*out_len)++] = *fake_row(ids[i]);
    return 0;
}

#endif
