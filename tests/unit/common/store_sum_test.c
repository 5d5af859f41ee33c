/* Sums over records in a real store. Skipped without MONGODB_URL. */
#include "common/store_sum.h"

#include "proto/file_path.h"
#include "store_fixture.h"

#define COLLECTION "store_sum_test"

static struct store *store;
static struct err err;
static struct arena arena;
static char tenant[ID_OID_LEN + 1];

static void add(const char *project, enum file_type type, enum file_state state, int64_t bytes)
{
    char id[ID_OID_LEN + 1];
    fixture_oid(id);
    const struct file_path row = {.id = id,
                                  .tenant = tenant,
                                  .project_id = project,
                                  .file_type = type,
                                  .state = state,
                                  .size_bytes = bytes};
    CHECK_INT(store_insert(store, COLLECTION, &file_path_doc, &row, &err), 0);
}

static void check(const struct store_sum *row, const char *key, int64_t count, int64_t total)
{
    CHECK_STR(row->key, key);
    CHECK_INT(row->count, count);
    CHECK_INT(row->total, total);
}

static struct store_sum *sums;
static size_t len;

static void sum(const struct file_path *filter, const char *by, size_t limit)
{
    int64_t commands = store_commands(store);
    CHECK_INT(store_sum(store, COLLECTION, &file_path_doc, filter, by, "size_bytes", limit, &arena,
                        &sums, &len, &err),
              0);
    CHECK_INT(store_commands(store) - commands, 1);
}

static void sums_by_a_field(void)
{
    const struct file_path all = {.tenant = tenant},
                           segments = {.tenant = tenant, .file_type = FILE_SEGMENT},
                           nobodys = {.tenant = "nobody"};
    sum(&all, "project_id", 10);
    CHECK_INT(len, 4);
    check(&sums[0], "b", 1, INT64_C(1) << 40);
    check(&sums[1], "a", 3, 60);
    check(&sums[2], NULL, 1, 5);
    check(&sums[3], "c", 1, 0);
    sum(&all, "project_id", 2);
    CHECK_INT(len, 2);
    check(&sums[1], "a", 3, 60);
    sum(&segments, "file_type", 10);
    CHECK_INT(len, 1);
    check(&sums[0], "segment", 2, 50);
    sum(&all, NULL, 1);
    CHECK_INT(len, 1);
    check(&sums[0], NULL, 6, (INT64_C(1) << 40) + 65);
    sum(&nobodys, NULL, 1);
    CHECK_INT(len, 0);
}

static void chooses_among_and_except(void)
{
    const char *projects[] = {"a", "c", "nothing"};
    const struct file_path all = {.tenant = tenant}, going = {.state = FILE_DELETING};
    const struct store_sums query = {.filter = &all,
                                     .except = &going,
                                     .among = {projects, 3},
                                     .by = "project_id",
                                     .sum = "size_bytes",
                                     .limit = 3};
    CHECK_INT(store_sum_of(store, COLLECTION, &file_path_doc, &query, &arena, &sums, &len, &err),
              0);
    CHECK_INT(len, 2);
    check(&sums[0], "a", 2, 30);
    check(&sums[1], "c", 1, 0);
}

static void refuses_what_makes_no_sum(void)
{
    const struct file_path all = {.tenant = tenant}, empty = {0};
    const struct {
        const struct file_path *filter;
        const char *by, *sum;
        size_t limit;
    } bad[] = {{&empty, NULL, "size_bytes", 1},
               {&all, "no such", "size_bytes", 1},
               {&all, NULL, "tenant", 1},
               {&all, NULL, "size_bytes", 0}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_INT(store_sum(store, COLLECTION, &file_path_doc, bad[i].filter, bad[i].by, bad[i].sum,
                            bad[i].limit, &arena, &sums, &len, &err),
                  -1);
        CHECK_INT(err.code, ERR_INTERNAL);
    }
}

int main(void)
{
    const char *url = fixture_url();
    if (!url)
        return 0;
    store = fixture_open(url);
    fixture_oid(tenant);
    add("a", FILE_SEGMENT, FILE_STORED, 20);
    add("a", FILE_SOURCE, FILE_PENDING, 10);
    add("a", FILE_SEGMENT, FILE_DELETING, 30);
    add("b", FILE_SOURCE, FILE_STORED, INT64_C(1) << 40);
    add("c", FILE_PLAYLIST, FILE_STORED, 0);
    add(NULL, FILE_SOURCE, FILE_STORED, 5);
    RUN(sums_by_a_field);
    RUN(chooses_among_and_except);
    RUN(refuses_what_makes_no_sum);
    const struct file_path all = {.tenant = tenant};
    CHECK_INT(store_delete_matching(store, COLLECTION, &file_path_doc, &all, NULL, &err), 0);
    store_free(store);
    arena_release(&arena);
    return 0;
}
