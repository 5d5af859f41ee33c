/* The store's records in memory: a part of fake_store.h, which includes it. */
#ifndef TESTS_FAKE_RECORDS_H
#define TESTS_FAKE_RECORDS_H

/* Records: counted; what a test wants to see of them, it sees by a `seen` of its own. */
static int (*fake_seen_update)(const void *filter, const void *set);
static int (*fake_seen_insert)(const void *record);
static void (*fake_seen_merge)(const void *record);

int store_update(struct store *store, const char *collection, const struct doc *doc,
                 const void *filter, const void *set, const char *const *unset, bool upsert,
                 struct err *err)
{
    (void)store, (void)collection, (void)doc, (void)unset, (void)upsert;
    pthread_mutex_lock(&fake_store.lock);
    bool away = fake_is_away();
    fake_store.updates++;
    int answer = fake_seen_update && !away ? fake_seen_update(filter, set) : 0;
    pthread_mutex_unlock(&fake_store.lock);
    return away ? fake_away(err) : answer;
}

int store_get(struct store *store, const char *collection, const struct doc *doc,
              const void *filter, struct arena *arena, void *out, struct err *err)
{
    (void)store, (void)doc, (void)filter, (void)arena, (void)out;
    return err_set(err, ERR_NOT_FOUND, "%s has none", collection);
}

static void (*fake_seen_upsert)(const void *record);
int store_upsert_many(struct store *store, const char *collection, const struct doc *doc,
                      const void *records, size_t len, struct err *err)
{
    (void)store, (void)collection, (void)doc, (void)len;
    pthread_mutex_lock(&fake_store.lock);
    bool away = fake_is_away();
    if (fake_seen_upsert && !away)
        fake_seen_upsert(records);
    pthread_mutex_unlock(&fake_store.lock);
    return away ? fake_away(err) : 0;
}

int store_insert(struct store *store, const char *collection, const struct doc *doc,
                 const void *record, struct err *err)
{
    (void)store, (void)collection, (void)doc, (void)err;
    fake_store.inserts++;
    return fake_seen_insert ? fake_seen_insert(record) : 0;
}

int store_merge_many(struct store *store, const char *collection, const struct doc *doc,
                     const struct store_merge *merge, struct err *errs, struct err *err)
{
    (void)store, (void)collection, (void)err;
    for (size_t i = 0; i < merge->len; i++) {
        errs[i] = (struct err){0};
        if (fake_seen_merge)
            fake_seen_merge((const char *)merge->records + i * doc->size);
    }
    return 0;
}

int store_find(struct store *store, const char *collection, const struct doc *doc,
               const struct store_page *page, struct arena *arena, void **out, size_t *len,
               struct err *err)
{
    (void)store, (void)collection, (void)doc, (void)page, (void)arena;
    *out = NULL;
    *len = 0;
    return fake_store.unreadable_beats ? err_set(err, ERR_INTERNAL, "no such kind") : 0;
}

int store_delete_many(struct store *store, const char *collection, const struct doc *doc,
                      const char *const *ids, size_t len, struct err *err)
{
    (void)store, (void)collection, (void)doc, (void)ids, (void)len, (void)err;
    return 0;
}

/* The rows that a test wants summed. */
static struct store_sum *fake_sums;
static size_t fake_sums_len;
static void (*fake_seen_sum)(const struct store_sums *query);
int store_sum_of(struct store *store, const char *collection, const struct doc *doc,
                 const struct store_sums *query, struct arena *arena, struct store_sum **out,
                 size_t *len, struct err *err)
{
    (void)store, (void)collection, (void)doc, (void)arena;
    pthread_mutex_lock(&fake_store.lock);
    bool away = fake_is_away();
    if (fake_seen_sum)
        fake_seen_sum(query);
    *out = fake_sums;
    *len = fake_sums_len < query->limit ? fake_sums_len : query->limit;
    pthread_mutex_unlock(&fake_store.lock);
    return away ? fake_away(err) : 0;
}

int store_sum(struct store *store, const char *collection, const struct doc *doc,
              const void *filter, const char *by, const char *sum, size_t limit,
              struct arena *arena, struct store_sum **out, size_t *len, struct err *err)
{
    const struct store_sums query = {.filter = filter, .by = by, .sum = sum, .limit = limit};
    return store_sum_of(store, collection, doc, &query, arena, out, len, err);
}

int store_delete_matching(struct store *store, const char *collection, const struct doc *doc,
                          const void *filter, int64_t *deleted, struct err *err)
{
    (void)store, (void)collection, (void)doc, (void)filter;
    pthread_mutex_lock(&fake_store.lock);
    bool away = fake_is_away();
    pthread_mutex_unlock(&fake_store.lock);
    if (deleted)
        *deleted = 0;
    return away ? fake_away(err) : 0;
}

int store_by_ids(struct store *store, const char *collection, const struct doc *doc,
                 const char *const *ids, size_t len, struct arena *arena, void **out,
                 size_t *out_len, struct err *err)
{
    (void)store, (void)collection, (void)doc, (void)ids, (void)len, (void)arena, (void)err;
    *out = NULL;
    *out_len = 0;
    return 0;
}

int store_list_jobs(struct store *store, const struct job_query *query, struct arena *arena,
                    struct job **out, size_t *len, struct err *err)
{
    (void)store, (void)query, (void)arena, (void)err;
    *out = NULL;
    *len = 0;
    return 0;
}

#endif
