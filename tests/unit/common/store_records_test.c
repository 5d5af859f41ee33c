/* Records by their tables in a real store. Skipped without MONGODB_URL. */
#include "common/store_records.h"

#include "store_fixture.h"

#define COLLECTION "store_test"

struct record {
    const char *id, *tenant, *text;
    int64_t size, at;
    bool on;
};
static const struct field record_fields[] = {
    FIELD(record, id, .flags = FIELD_ID | FIELD_OID),
    FIELD(record, tenant, .max = 8),
    FIELD(record, text, .max = 16),
    FIELD(record, size, .flags = FIELD_ALWAYS),
    FIELD(record, at, .flags = FIELD_TIME),
    FIELD(record, on, .max = 0),
};
static const struct doc record_doc = DOC(record, record_fields);

static struct store *store;
static struct err err;

static struct record fresh(struct arena *arena, const char *tenant)
{
    char id[ID_OID_LEN + 1];
    fixture_oid(id);
    return (struct record){.id = arena_strdup(arena, id), .tenant = tenant, .at = NOW};
}

static int get(const struct record *filter, struct arena *arena, struct record *out)
{
    err = (struct err){0};
    return store_get(store, COLLECTION, &record_doc, filter, arena, out, &err);
}

static void test_insert_and_get(void)
{
    struct arena arena = {0};
    struct record record = fresh(&arena, "t"), out;
    CHECK_INT(store_insert(store, COLLECTION, &record_doc, &record, &err), 0);
    CHECK_INT(store_insert(store, COLLECTION, &record_doc, &record, &err), 1);
    CHECK_INT(get(&(struct record){.id = record.id, .tenant = "t"}, &arena, &out), 0);
    CHECK_STR(out.id, record.id);
    CHECK_INT(out.at, NOW);
    CHECK_INT(get(&(struct record){.id = record.id, .tenant = "other"}, &arena, &out), -1);
    CHECK_INT(err.code, ERR_NOT_FOUND);
    CHECK_INT(get(&(struct record){0}, &arena, &out), -1);
    CHECK_INT(err.code, ERR_INTERNAL);
    CHECK_INT(store_delete_many(store, COLLECTION, &record_doc, &record.id, 1, &err), 0);
    CHECK_INT(store_delete_many(store, COLLECTION, &record_doc, &record.id, 1, &err), 0);
    CHECK_INT(get(&(struct record){.id = record.id}, &arena, &out), -1);
    arena_release(&arena);
}

static int update(const struct record *filter, const struct record *set, const char *const *unset,
                  bool upsert)
{
    return store_update(store, COLLECTION, &record_doc, filter, set, unset, upsert, &err);
}

static void test_update(void)
{
    struct arena arena = {0};
    struct record key = {.id = fresh(&arena, "t").id}, out;
    const char *const unset[] = {"text", NULL};
    CHECK_INT(update(&key, &(struct record){.text = "a"}, NULL, false), 1);
    CHECK_INT(update(&key, &(struct record){.text = "a", .size = 3}, NULL, true), 0);
    CHECK_INT(get(&key, &arena, &out), 0);
    CHECK_STR(out.text, "a");
    CHECK_INT(out.size, 3);
    CHECK_INT(update(&key, &(struct record){.id = "ignored", .on = true}, unset, true), 0);
    CHECK_INT(get(&key, &arena, &out), 0);
    CHECK_STR(out.id, key.id);
    CHECK_STR(out.text, NULL);
    CHECK(out.on);
    CHECK_INT(out.size, 3);
    /* The _id is there, but the filter wants more than it has. */
    const struct record other = {.id = key.id, .tenant = "other"};
    CHECK_INT(update(&other, &(struct record){.size = 9}, NULL, false), 1);
    CHECK_INT(update(&other, &(struct record){.size = 9}, NULL, true), 1);
    CHECK_INT(update(&key, &(struct record){0}, NULL, true), -1);
    CHECK_INT(get(&key, &arena, &out), 0);
    CHECK_INT(out.size, 3);
    CHECK_INT(store_delete_many(store, COLLECTION, &record_doc, &key.id, 1, &err), 0);
    arena_release(&arena);
}

static void test_many_in_pages(void)
{
    enum { LEN = 1203 };
    struct arena arena = {0};
    char tenant[ID_OID_LEN + 1];
    fixture_oid(tenant);
    struct record *records = arena_alloc_array(&arena, LEN, sizeof *records);
    const char **ids = arena_alloc_array(&arena, LEN, sizeof *ids);
    for (int i = 0; i < LEN; i++) {
        records[i] = fresh(&arena, tenant);
        ids[i] = records[i].id;
    }
    CHECK_INT(store_upsert_many(store, COLLECTION, &record_doc, records, LEN, &err), 0);
    records[7].text = "again";
    int64_t commands = store_commands(store);
    CHECK_INT(store_upsert_many(store, COLLECTION, &record_doc, records, LEN, &err), 0);
    CHECK_INT(store_commands(store) - commands, 3);
    int seen = 0;
    struct store_page page = {.filter = &(struct record){.tenant = tenant}, .limit = 250};
    for (size_t len = page.limit; len == page.limit; seen += (int)len) {
        void *found;
        commands = store_commands(store);
        CHECK_INT(store_find(store, COLLECTION, &record_doc, &page, &arena, &found, &len, &err), 0);
        CHECK_INT(store_commands(store) - commands, 1);
        const struct record *rows = found;
        for (size_t i = 0; i < len; i++)
            CHECK_STR(rows[i].id, ids[seen + (int)i]);
        CHECK_STR(seen == 0 ? rows[7].text : "again", "again");
        page.after = len ? rows[len - 1].id : NULL;
    }
    CHECK_INT(seen, LEN);
    void *last;
    size_t len;
    page = (struct store_page){.filter = page.filter, .limit = 1, .descending = true};
    CHECK_INT(store_find(store, COLLECTION, &record_doc, &page, &arena, &last, &len, &err), 0);
    CHECK_STR(((struct record *)last)->id, ids[LEN - 1]);
    CHECK_INT(store_delete_many(store, COLLECTION, &record_doc, ids, LEN, &err), 0);
    CHECK_INT(store_find(store, COLLECTION, &record_doc, &page, &arena, &last, &len, &err), 0);
    CHECK_INT(len, 0);
    arena_release(&arena);
}

/* One page after the other; what is found, as the texts' first letters. */
static const char *walk(struct store_page page, struct arena *arena)
{
    struct text text = {.arena = arena};
    for (size_t len = page.limit; len == page.limit;) {
        void *found;
        CHECK_INT(store_find(store, COLLECTION, &record_doc, &page, arena, &found, &len, &err), 0);
        const struct record *rows = found;
        for (size_t i = 0; i < len; i++)
            text_printf(&text, "%s%s", text.len ? " " : "", rows[i].text);
        page.after = len ? rows[len - 1].text : NULL;
    }
    return text.len ? text.at : "";
}

static void test_order_and_prefix(void)
{
    static const char *const texts[] = {"a",  "a/",  "a/1",        "a/2",        "a/\xC3\xA9", "a0",
                                        "b/", "b/1", "\xC3\xA9/1", "\xC3\xA9/2", "\xC3\xAA",   "c"};
    enum { LEN = sizeof texts / sizeof texts[0] };
    struct arena arena = {0};
    char tenant[ID_OID_LEN + 1];
    fixture_oid(tenant);
    struct record rows[LEN];
    const char *ids[LEN];
    for (int i = 0; i < LEN; i++) {
        rows[i] = fresh(&arena, tenant);
        rows[i].text = texts[(i * 7) % LEN];
        ids[i] = rows[i].id;
    }
    CHECK_INT(store_upsert_many(store, COLLECTION, &record_doc, rows, LEN, &err), 0);
    const struct record filter = {.tenant = tenant};
    struct store_page page = {.filter = &filter, .limit = 2, .order = "text"};
    CHECK_STR(walk(page, &arena),
              "a a/ a/1 a/2 a/\xC3\xA9 a0 b/ b/1 c \xC3\xA9/1 \xC3\xA9/2 \xC3\xAA");
    page.prefix = "a/";
    CHECK_STR(walk(page, &arena), "a/ a/1 a/2 a/\xC3\xA9");
    page.descending = true;
    CHECK_STR(walk(page, &arena), "a/\xC3\xA9 a/2 a/1 a/");
    page =
        (struct store_page){.filter = &filter, .limit = 3, .order = "text", .prefix = "\xC3\xA9"};
    CHECK_STR(walk(page, &arena), "\xC3\xA9/1 \xC3\xA9/2");
    page.after = "a"; /* before all that begin so */
    CHECK_STR(walk(page, &arena), "\xC3\xA9/1 \xC3\xA9/2");
    page.prefix = "\xF4\x8F\xBF\xBF";
    CHECK_STR(walk(page, &arena), "");
    void *found;
    size_t len;
    page.order = "size";
    CHECK_INT(store_find(store, COLLECTION, &record_doc, &page, &arena, &found, &len, &err), -1);
    CHECK_INT(err.code, ERR_INTERNAL);
    CHECK_INT(store_delete_many(store, COLLECTION, &record_doc, ids, LEN, &err), 0);
    arena_release(&arena);
}

static void test_delete_matching(void)
{
    enum { LEN = 7 };
    struct arena arena = {0};
    char tenant[ID_OID_LEN + 1];
    fixture_oid(tenant);
    struct record rows[LEN];
    for (int i = 0; i < LEN; i++) {
        rows[i] = fresh(&arena, tenant);
        rows[i].text = i < 5 ? "old" : "new";
    }
    int64_t deleted = -1;
    CHECK_INT(store_upsert_many(store, COLLECTION, &record_doc, rows, LEN, &err), 0);
    struct record filter = {.tenant = tenant, .text = "old"};
    CHECK_INT(store_delete_matching(store, COLLECTION, &record_doc, &filter, &deleted, &err), 0);
    CHECK_INT(deleted, 5);
    CHECK_INT(store_delete_matching(store, COLLECTION, &record_doc, &filter, &deleted, &err), 0);
    CHECK_INT(deleted, 0);
    filter.text = NULL;
    CHECK_INT(store_delete_matching(store, COLLECTION, &record_doc, &filter, &deleted, &err), 0);
    CHECK_INT(deleted, 2);
    const struct record none = {0};
    CHECK_INT(store_delete_matching(store, COLLECTION, &record_doc, &none, NULL, &err), -1);
    CHECK_INT(err.code, ERR_INTERNAL);
    arena_release(&arena);
}

int main(void)
{
    const char *url = fixture_url();
    if (!url)
        return 0;
    store = fixture_open(url);
    RUN(test_insert_and_get);
    RUN(test_update);
    RUN(test_many_in_pages);
    RUN(test_order_and_prefix);
    RUN(test_delete_matching);
    store_free(store);
    return 0;
}
