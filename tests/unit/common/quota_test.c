/* Quotas over the ledger in a real store. Skipped without MONGODB_URL. */
#include "common/quota.h"

#include "proto/file_path.h"
#include "store_fixture.h"

static struct store *store;
static struct arena arena;
static struct err err;
static char tenant[ID_OID_LEN + 1];

static void add(const char *job, const char *project, const char *user, enum file_state state,
                int64_t bytes)
{
    char id[ID_OID_LEN + 1];
    fixture_oid(id);
    const struct file_path row = {.id = id,
                                  .object_key = id,
                                  .backend = "quota-test",
                                  .tenant = tenant,
                                  .job = job,
                                  .project_id = project,
                                  .user_id = user,
                                  .state = state,
                                  .size_bytes = bytes};
    CHECK_INT(store_insert(store, FILE_PATH_COLLECTION, &file_path_doc, &row, &err), 0);
}

static void sums_what_is_stored_or_about_to_be(void)
{
    struct quota_used projects[] = {{"p", -1}, {"nothing", -1}, {"q", -1}, {"p", -1}};
    struct quota_used users[] = {{"u", -1}, {"v", -1}};
    CHECK_INT(quota_sum(store, tenant, QUOTA_PROJECTS, NULL, projects, 4, &arena, &err), 0);
    CHECK_INT(projects[0].bytes, 111);
    CHECK_INT(projects[1].bytes, 0);
    CHECK_INT(projects[2].bytes, 5000);
    CHECK_INT(projects[3].bytes, 111);
    int64_t commands = store_commands(store);
    CHECK_INT(quota_sum(store, tenant, QUOTA_USERS, NULL, users, 2, &arena, &err), 0);
    CHECK_INT(store_commands(store) - commands, 1);
    CHECK_INT(users[0].bytes, 5100);
    CHECK_INT(users[1].bytes, 10);
    CHECK_INT(quota_sum(store, tenant, QUOTA_PROJECTS, "j1", projects, 1, &arena, &err), 0);
    CHECK_INT(projects[0].bytes, 10);
    CHECK_INT(quota_sum(store, "nobody", QUOTA_PROJECTS, NULL, projects, 1, &arena, &err), 0);
    CHECK_INT(projects[0].bytes, 0);
}

static int check(int64_t quota, int64_t used, int64_t more)
{
    err = (struct err){0};
    return quota_check("the project p", quota, used, more, &err);
}

static void holds_it_against_the_quota(void)
{
    const struct fleet_settings settings = {.quota_project_bytes = 7};
    CHECK_INT(quota_of(&(struct project){0}, &settings), 7);
    CHECK_INT(quota_of(&(struct project){.quota_bytes = 9}, &settings), 9);
    CHECK_INT(check(0, INT64_MAX, INT64_MAX), 0);
    CHECK_INT(check(100, 99, 0), 0);
    CHECK_INT(check(100, 100, 0), -1);
    CHECK_INT(err.code, ERR_QUOTA_EXCEEDED);
    CHECK_STR(err.detail, "the project p uses 100 of 100 bytes");
    CHECK_INT(check(100, 60, 40), 0);
    CHECK_INT(check(100, 60, 41), -1);
    CHECK_INT(check(100, 200, INT64_MAX), -1);
}

int main(void)
{
    const char *url = fixture_url();
    if (!url)
        return 0;
    store = fixture_open(url);
    fixture_oid(tenant);
    add("j1", "p", "u", FILE_STORED, 100);
    add("j1", "p", NULL, FILE_PENDING, 1);
    add("j2", "p", "v", FILE_STORED, 10);
    add("j2", "p", "u", FILE_DELETING, 1000);
    add("j3", "q", "u", FILE_STORED, 5000);
    add("j3", "q", "u", FILE_STORED, 0);
    RUN(sums_what_is_stored_or_about_to_be);
    RUN(holds_it_against_the_quota);
    const struct file_path all = {.tenant = tenant};
    CHECK_INT(store_delete_matching(store, FILE_PATH_COLLECTION, &file_path_doc, &all, NULL, &err),
              0);
    store_free(store);
    arena_release(&arena);
    return 0;
}
