/* The audit's lines in a real store. Skipped without MONGODB_URL. */
#include "common/audit.h"

#include "store_fixture.h"

static struct store *store;
static struct err err;

static size_t lines(const char *tenant, struct arena *arena, struct audit **out)
{
    const struct audit filter = {.tenant = tenant};
    const struct store_page page = {.filter = &filter, .limit = 10};
    void *found;
    size_t len;
    CHECK_INT(store_find(store, AUDIT_COLLECTION, &audit_doc, &page, arena, &found, &len, &err), 0);
    *out = found;
    return len;
}

static void gives_ids_and_times(void)
{
    struct arena arena = {0};
    char tenant[ID_OID_LEN + 1];
    struct audit *found;
    fixture_oid(tenant);
    const struct audit line = {
        .tenant = tenant, .by = "somebody", .action = "project.delete", .subject = "p1"};
    CHECK_INT(audit_add(store, &line, &err), 0);
    CHECK_INT(audit_add(store, &line, &err), 0);
    CHECK_INT(lines(tenant, &arena, &found), 2);
    CHECK(strcmp(found[0].id, found[1].id) < 0);
    CHECK(found[0].at > 0);
    CHECK_STR(found[1].action, "project.delete");
    CHECK_INT(store_delete_matching(store, AUDIT_COLLECTION, &audit_doc, &line, NULL, &err), 0);
    arena_release(&arena);
}

static void a_line_said_twice_is_one(void)
{
    struct arena arena = {0};
    char tenant[ID_OID_LEN + 1], parent[ID_ULID_LEN + 1], id[ID_ULID_LEN + 1];
    struct audit *found;
    fixture_oid(tenant);
    id_ulid(NOW, parent);
    id_child(parent, "audit", id);
    struct audit line = {.id = id, .at = NOW, .tenant = tenant, .subject = "first"};
    CHECK_INT(audit_add(store, &line, &err), 0);
    line.subject = "second";
    CHECK_INT(audit_add(store, &line, &err), 0);
    CHECK_INT(lines(tenant, &arena, &found), 1);
    CHECK_STR(found[0].id, id);
    CHECK_INT(found[0].at, NOW);
    CHECK_STR(found[0].subject, "first");
    line = (struct audit){.tenant = tenant};
    CHECK_INT(store_delete_matching(store, AUDIT_COLLECTION, &audit_doc, &line, NULL, &err), 0);
    arena_release(&arena);
}

int main(void)
{
    const char *url = fixture_url();
    if (!url)
        return 0;
    store = fixture_open(url);
    RUN(gives_ids_and_times);
    RUN(a_line_said_twice_is_one);
    store_free(store);
    return 0;
}
