/* Fuzzes what is read out of a storage's answers: lists, results of deletes, errors. */
/* NOLINTNEXTLINE(bugprone-suspicious-include): its readers are static. */
#include "common/s3_list.c"
#include "common/s3_upload.h"
#include "tests/fuzz/fuzz.h"

enum { LIMIT = 3 };

static void read_list(const char *xml, size_t len, struct arena *arena)
{
    struct err err = {0};
    struct page page = {.arena = arena, .limit = LIMIT};
    page.at = arena_alloc_array(arena, LIMIT, sizeof *page.at);
    if (s3_xml_read(xml, len, "ListBucketResult", read_page, &page, &err) != 0)
        return;
    if (page.len > LIMIT)
        abort();
    for (size_t i = 0; i < page.len; i++)
        if (!page.at[i].key || page.at[i].size_bytes < 0)
            abort();
}

static void read_deletions(const char *xml, size_t len)
{
    static const char *const keys[] = {"a", "projects/p/scenes/s/j/b"};
    struct err err = {0}, errs[2] = {0};
    struct deletion deletion = {.keys = keys, .len = 2, .errs = errs};
    (void)s3_xml_read(xml, len, "DeleteResult", read_deletion, &deletion, &err);
    if ((errs[0].code || errs[1].code) && !deletion.first.code)
        abort();
}

static void begin_upload(const char *xml, size_t len, struct arena *arena)
{
    struct err err = {0};
    struct s3_call call = {.http.text = {.at = arena_strndup(arena, xml, len), .len = len}};
    struct bucket_put put = {.key = "k"};
    struct s3_upload upload = {.put = &put};
    int result = s3_upload_take(&upload, STEP_BEGIN, 0, &call, arena, &err);
    if ((result == 0) != (upload.id && upload.id[0]) || (result != 0 && err.code == ERR_NONE))
        abort();
}

static void judge(const char *xml, size_t len, int status, bool patient, struct arena *arena)
{
    struct err err = {0};
    struct s3_call call = {
        .method = "POST",
        .patient = patient,
        .http = {.status = status, .text = {.at = arena_strndup(arena, xml, len), .len = len}},
    };
    int result = s3_judge(&call, &err);
    if ((result == 0) != (err.code == ERR_NONE) || (status >= 300 && result == 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena arena = {0};
    const char *xml = (const char *)bytes;
    read_list(xml, len, &arena);
    read_deletions(xml, len);
    begin_upload(xml, len, &arena);
    judge(xml, len, 200, true, &arena);
    judge(xml, len, 403, false, &arena);
    judge(xml, len, 503, false, &arena);
    arena_release(&arena);
    return 0;
}
