/* Results of storage jobs: counts, then the first of each list. */
#include "gateway/ctl/show_storage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/doc_bson.h"
#include "gateway/ctl/show.h"
#include "proto/storage_job.h"

static int read_result(struct session *session, const struct job_view *job,
                       struct storage_result *out, struct err *err)
{
    return doc_bson_unpack(&storage_result_doc, &job->result, &session->arena, out, err);
}

static void count(const char *what, int64_t number)
{
    printf("%-14s %" PRId64 "\n", what, number);
}

static void bytes(const char *what, int64_t number, int64_t size)
{
    printf("%-14s %" PRId64 " (%.1f MB)\n", what, number, (double)size / 1e6);
}

/* total: how many there are in all. */
static void list(const char *what, const struct storage_items *items, int64_t total)
{
    for (size_t i = 0; i < items->len; i++) {
        const struct storage_item *item = &items->at[i];
        printf("  %-10s %12" PRId64 "  ", what, item->size_bytes);
        show_text(stdout, item->key);
        if (item->row_bytes)
            printf("  (its row says %" PRId64 ")", item->row_bytes);
        putchar('\n');
    }
    if (items->len > 0 && total > (int64_t)items->len)
        printf("  %-10s and %" PRId64 " more\n", what, total - (int64_t)items->len);
}

static int exit_of(const struct storage_result *result)
{
    return result->failed ? EXIT_JOB_FAILED : EXIT_SUCCESS;
}

int show_reconcile(struct session *session, const struct job_view *job, struct err *err)
{
    struct storage_result result;
    if (read_result(session, job, &result, err))
        return -1;
    if (session->common.json)
        return exit_of(&result);
    if (result.dry_run)
        puts("dry run: nothing was changed");
    bytes("objects", result.objects, result.bytes);
    count("rows", result.rows);
    bytes("orphans", result.orphans, result.orphan_bytes);
    count("ghosts", result.ghosts);
    count("mismatches", result.mismatches);
    count("living", result.living);
    count("adopted", result.adopted);
    count("deleted", result.deleted);
    count("forgotten", result.forgotten);
    count("failed", result.failed);
    list("orphan", &result.orphan_list, result.orphans);
    list("ghost", &result.ghost_list, result.ghosts);
    list("mismatch", &result.mismatch_list, result.mismatches);
    list("failed", &result.failed_list, result.failed);
    return exit_of(&result);
}

int show_migrate(struct session *session, const struct job_view *job, struct err *err)
{
    struct storage_result result;
    if (read_result(session, job, &result, err))
        return -1;
    if (session->common.json)
        return exit_of(&result);
    bytes("copied", result.copied, result.bytes);
    count("switched", result.switched);
    count("deleted", result.deleted);
    count("living", result.living);
    count("failed", result.failed);
    list("failed", &result.failed_list, result.failed);
    return exit_of(&result);
}

int show_duplicates(struct session *session, const struct job_view *job, struct err *err)
{
    struct storage_result result;
    if (read_result(session, job, &result, err))
        return -1;
    if (session->common.json)
        return exit_of(&result);
    bytes("objects", result.objects, result.bytes);
    count("groups", result.groups);
    bytes("duplicates", result.duplicates, result.saved_bytes);
    for (size_t i = 0; i < result.group_list.len; i++) {
        const struct storage_group *group = &result.group_list.at[i];
        printf("  %6" PRId64 " x %12" PRId64 "  ", group->objects, group->size_bytes);
        show_text(stdout, group->sha256);
        putchar('\n');
    }
    return exit_of(&result);
}
