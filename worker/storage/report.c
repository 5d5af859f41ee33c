/* A result is saved whole: at most a few hundred items. */
#include "worker/storage/report.h"

#include <string.h>

#include "common/audit.h"
#include "common/clock.h"
#include "common/doc_bson.h"

enum { SAVE_FIRST_MS = 5000, SAVE_SHARE = 10 };

/* Lists come with the room that they may need. */
static void make_room(struct storage_items *list, struct arena *arena)
{
    struct storage_item *at = arena_alloc_array(arena, STORAGE_TOLD_MAX, sizeof *at);
    if (list->len > STORAGE_TOLD_MAX)
        list->len = STORAGE_TOLD_MAX;
    if (list->len > 0)
        memcpy(at, list->at, list->len * sizeof *at);
    list->at = at;
}

int report_begin(struct report *report, struct err *err)
{
    struct storage_result *result = report->result;
    struct arena *arena = run_arena(report->run);
    struct storage_items *const lists[] = {&result->orphan_list, &result->ghost_list,
                                           &result->mismatch_list, &result->failed_list};
    report->began_mono = report->saved_mono = clock_mono_ms();
    if (doc_bson_unpack(&storage_result_doc, &run_task(report->run)->result, arena, result, err))
        return err_prefix(err, "what an earlier run has saved");
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        make_room(lists[i], arena);
    return 0;
}

void report_item(struct report *report, struct storage_items *list, const struct storage_item *item)
{
    if (list->len == STORAGE_TOLD_MAX)
        return;
    list->at[list->len] = *item;
    list->at[list->len++].key = arena_strdup(run_arena(report->run), item->key);
}

bool report_is_due(const struct report *report)
{
    int64_t now = clock_mono_ms();
    int64_t share = (now - report->began_mono) / SAVE_SHARE;
    return now - report->saved_mono > (share > SAVE_FIRST_MS ? share : SAVE_FIRST_MS);
}

int report_save(struct report *report, const char *after, struct err *err)
{
    report->saved_mono = clock_mono_ms();
    report->result->after = after;
    int failed = run_checkpoint(report->run, report->result, err);
    report->result->after = NULL;
    return failed;
}

int report_audit(struct report *report, const char *action, const char *subject,
                 const struct storage_result *counts, struct err *err)
{
    const struct job *job = run_job(report->run);
    const struct audit line = {
        .tenant = job->tenant,
        .by = job->owner,
        .action = action,
        .subject = subject,
        .job = job->id,
        .counts = doc_bson_pack(&storage_result_doc, counts, run_arena(report->run)),
    };
    return audit_add(run_store(report->run), &line, err);
}
