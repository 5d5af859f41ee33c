/* Options as fields: names without their unit, values as people write them. */
#include "check.h"

#include "gateway/ctl/options.h"
#include "proto/file_path.h"
#include "proto/storage_job.h"

static void names_are_the_fields(void)
{
    struct arena arena = {0};
    const struct field *field = option_field(&storage_reconcile_doc, "--older-than");
    CHECK(field);
    CHECK_STR(field->name, "older_than_s");
    CHECK_STR(option_name(field, &arena), "--older-than");
    CHECK(option_takes_value(field));
    field = option_field(&storage_reconcile_doc, "--dry-run");
    CHECK(field && !option_takes_value(field));
    CHECK_STR(option_field(&storage_migrate_doc, "--rate=10M")->name, "rate_bytes");
    CHECK_STR(option_field(&storage_migrate_doc, "--project")->name, "project_id");
    static const char *const wrong[] = {
        "--", "--dry", "--dry_run", "--older-than-s", "dry-run", "--dry-runs", "-d", "--=", ""};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CHECK(!option_field(&storage_reconcile_doc, wrong[i]));
    CHECK(!option_field(NULL, "--dry-run"));
    arena_release(&arena);
}

static int64_t number(const struct doc *doc, const char *option, const char *value)
{
    struct err err = {0};
    struct storage_migrate migrate = {.rate_bytes = 0};
    struct storage_reconcile reconcile = {.older_than_s = 0};
    bool migrates = doc == &storage_migrate_doc;
    void *object = migrates ? (void *)&migrate : (void *)&reconcile;
    if (option_set(option_field(doc, option), value, object, &err))
        return -1;
    return migrates ? migrate.rate_bytes : reconcile.older_than_s;
}

static void numbers_have_units(void)
{
    static const struct {
        const char *value;
        int64_t seconds;
    } times[] = {{"90", 90},
                 {"90s", 90},
                 {"5m", 300},
                 {"24h", 86400},
                 {"7d", 604800},
                 {"0", -1},
                 {"-1", -1},
                 {"1w", -1},
                 {"", -1},
                 {"h", -1},
                 {"1K", -1},
                 {"1 h", -1},
                 {"1hh", -1},
                 {"9223372036854775807d", -1},
                 {"99999999999999999999", -1}};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        CHECK_INT(number(&storage_reconcile_doc, "--older-than", times[i].value), times[i].seconds);
    CHECK_INT(number(&storage_migrate_doc, "--rate", "10M"), 10 << 20);
    CHECK_INT(number(&storage_migrate_doc, "--rate", "1G"), 1 << 30);
    CHECK_INT(number(&storage_migrate_doc, "--rate", "5m"), -1);
}

static void texts_and_words_are_checked(void)
{
    struct err err = {0};
    struct storage_migrate migrate = {.from = BACKEND_UNSET};
    CHECK_STR(option_missing(&storage_migrate_doc, &migrate)->name, "from");
    CHECK_INT(option_set(option_field(&storage_migrate_doc, "--from"), "tape", &migrate, &err), -1);
    CHECK_INT(option_set(option_field(&storage_migrate_doc, "--from"), "local", &migrate, &err), 0);
    CHECK_INT(migrate.from, BACKEND_LOCAL);
    CHECK_STR(option_missing(&storage_migrate_doc, &migrate)->name, "to");
    migrate.to = BACKEND_S3;
    CHECK(!option_missing(&storage_migrate_doc, &migrate));
    const struct field *project = option_field(&storage_migrate_doc, "--project");
    CHECK_INT(option_set(project, "a/b", &migrate, &err), -1);
    CHECK_INT(option_set(project, "a-b", &migrate, &err), 0);
    CHECK_STR(migrate.project_id, "a-b");
}

int main(void)
{
    RUN(names_are_the_fields);
    RUN(numbers_have_units);
    RUN(texts_and_words_are_checked);
    return 0;
}
