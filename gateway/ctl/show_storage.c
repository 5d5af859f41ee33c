/* Results of storage jobs: counts, then the first of each list. */
#include "gateway/ctl/show_storage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/doc_bson.h"
#include "common/doc_json.h"
#include "gateway/ctl/show.h"
#include "proto/lifecycle.h"
#include "proto/storage_job.h"

enum { PATIENCE_MS = 10000 };

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

/* With --json the answer is printed already. */
static int show_result(struct session *session, const struct job_view *job,
                       void (*print)(const struct storage_result *result), struct err *err)
{
    struct storage_result result;
    if (doc_bson_unpack(&storage_result_doc, &job->result, &session->arena, &result, err))
        return -1;
    if (!session->common.json && result.dry_run)
        puts("dry run: nothing was changed");
    if (!session->common.json)
        print(&result);
    return result.failed ? EXIT_JOB_FAILED : EXIT_SUCCESS;
}

static void print_reconcile(const struct storage_result *result)
{
    bytes("objects", result->objects, result->bytes);
    count("rows", result->rows);
    bytes("orphans", result->orphans, result->orphan_bytes);
    count("ghosts", result->ghosts);
    count("mismatches", result->mismatches);
    count("living", result->living);
    count("adopted", result->adopted);
    count("deleted", result->deleted);
    count("forgotten", result->forgotten);
    count("failed", result->failed);
    list("orphan", &result->orphan_list, result->orphans);
    list("ghost", &result->ghost_list, result->ghosts);
    list("mismatch", &result->mismatch_list, result->mismatches);
    list("failed", &result->failed_list, result->failed);
}

int show_reconcile(struct session *session, const struct job_view *job, struct err *err)
{
    return show_result(session, job, print_reconcile, err);
}

static void print_migrate(const struct storage_result *result)
{
    bytes("copied", result->copied, result->bytes);
    count("switched", result->switched);
    count("deleted", result->deleted);
    count("living", result->living);
    count("failed", result->failed);
    list("failed", &result->failed_list, result->failed);
}

int show_migrate(struct session *session, const struct job_view *job, struct err *err)
{
    return show_result(session, job, print_migrate, err);
}

static void print_duplicates(const struct storage_result *result)
{
    bytes("objects", result->objects, result->bytes);
    count("groups", result->groups);
    bytes("duplicates", result->duplicates, result->saved_bytes);
    for (size_t i = 0; i < result->group_list.len; i++) {
        const struct storage_group *group = &result->group_list.at[i];
        printf("  %6" PRId64 " x %12" PRId64 "  ", group->objects, group->size_bytes);
        show_text(stdout, group->sha256);
        putchar('\n');
    }
}

int show_duplicates(struct session *session, const struct job_view *job, struct err *err)
{
    return show_result(session, job, print_duplicates, err);
}

static void print_cleanup(const struct storage_result *result)
{
    count("directories", result->directories);
    count("uploads", result->uploads);
    count("objects", result->deleted);
    count("rows", result->forgotten);
    count("jobs", result->expired_jobs);
    count("left alone", result->living);
    count("failed", result->failed);
    list("failed", &result->failed_list, result->failed);
}

int show_cleanup(struct session *session, const struct job_view *job, struct err *err)
{
    return show_result(session, job, print_cleanup, err);
}

static void show_rule(const struct lifecycle_rule *rule)
{
    printf("%-10s %-8s ", rule->ours ? "mediafleet" : "other", rule->enabled ? "on" : "off");
    show_text(stdout, rule->id ? rule->id : "");
    if (rule->prefix && *rule->prefix) {
        fputs(", keys from ", stdout);
        show_text(stdout, rule->prefix);
    }
    if (rule->abort_days)
        printf(", unfinished uploads end after %" PRId64 " d", rule->abort_days);
    if (rule->expire_days)
        printf(", objects end after %" PRId64 " d", rule->expire_days);
    putchar('\n');
}

int run_lifecycle(struct session *session, struct err *err)
{
    const struct lifecycle_ask *ask = session->options;
    struct text body = {.arena = &session->arena};
    struct lifecycle told;
    doc_json_encode(&lifecycle_ask_doc, ask, &body);
    const struct client_request request = {.method = "POST",
                                           .path = "/api/v1/storage/lifecycle",
                                           .body = body.at,
                                           .patience_ms = PATIENCE_MS,
                                           .answer_doc = &lifecycle_doc};
    int printed = command_call(session, &request, &told, err);
    if (printed < 0)
        return -1;
    for (size_t i = 0; !printed && i < told.rules.len; i++)
        show_rule(&told.rules.at[i]);
    if (!printed)
        printf("mediafleet's rules are %s\n", told.set ? "set" : "not set");
    return ask->apply && !told.set ? EXIT_JOB_FAILED : EXIT_SUCCESS;
}
