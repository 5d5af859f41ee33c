/* Fuzzes what is read out of a storage's answers to operators: unfinished uploads, rules of expiry.
 */
/* NOLINTNEXTLINE(bugprone-suspicious-include): its readers are static. */
#include "common/s3_uploads.c"
/* NOLINTNEXTLINE(bugprone-suspicious-include): its readers are static. */
#include "common/s3_lifecycle.c"
#include "tests/fuzz/fuzz.h"

enum { LIMIT = 3 };

static void read_uploads(const char *xml, size_t len, struct arena *arena)
{
    struct err err = {0};
    struct page page = {.arena = arena, .limit = LIMIT};
    page.at = arena_alloc_array(arena, LIMIT, sizeof *page.at);
    if (s3_xml_read(xml, len, "ListMultipartUploadsResult", read_page, &page, &err) != 0)
        return;
    if (page.len > LIMIT)
        abort();
    for (size_t i = 0; i < page.len; i++)
        if (!page.at[i].key || !page.at[i].id)
            abort();
    size_t len_before = page.len;
    if (page.len > 0 && (!cut(&page)->key || page.len > len_before || page.len == 0))
        abort();
}

/* What would be written is well-formed and has every foreign rule, or nothing is written. */
static void merge_rules(const char *xml, size_t len, struct arena *arena)
{
    struct err err = {0};
    const struct s3 s3 = {.bucket = {.backend = "r2"}};
    struct lifecycle found = {.rules.at =
                                  arena_alloc_array(arena, RULES_MAX, sizeof *found.rules.at)};
    struct lifecycle again = {.rules.at =
                                  arena_alloc_array(arena, RULES_MAX, sizeof *again.rules.at)};
    struct reading reading = {.arena = arena, .out = &found};
    struct text merged = {.arena = arena};
    if (s3_xml_read(xml, len, "LifecycleConfiguration", read_element, &reading, &err) != 0)
        return;
    if (merge(arena_strndup(arena, xml, len), &found, &s3, &merged, &err) != 0)
        return;
    reading = (struct reading){.arena = arena, .out = &again};
    if (s3_xml_read(merged.at, merged.len, "LifecycleConfiguration", read_element, &reading,
                    &err) ||
        again.rules.len != count_foreign(&found) + OWN_RULES || !all_set(&s3, &again))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena arena = {0};
    const char *xml = (const char *)bytes;
    read_uploads(xml, len, &arena);
    merge_rules(xml, len, &arena);
    arena_release(&arena);
    return 0;
}
