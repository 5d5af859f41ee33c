/* Reconcile: the bucket's listing and its rows, key by key; what differs is told and, if asked for,
 * mended. */
#include <stdio.h>
#include <string.h>

#include "common/store_sum.h"
#include "worker/storage/findings.h"
#include "worker/storage/mend.h"
#include "worker/storage/scan.h"

struct reconciling {
    struct report report;
    struct scan scan;
    struct findings findings;
    struct mend mend;
    int64_t steps;    /* pairs seen by this run */
    int64_t expected; /* rows, for the progress; 0: not known */
};

static void count(struct reconciling *all, const struct finding *finding)
{
    struct storage_result *result = all->report.result;
    struct storage_item item = {.key = finding->key, .size_bytes = finding->size_bytes};
    switch (finding->sort) {
    case FINDING_ORPHAN:
        result->orphans++;
        result->orphan_bytes += finding->size_bytes;
        report_item(&all->report, &result->orphan_list, &item);
        break;
    case FINDING_GHOST:
        result->ghosts++;
        item.size_bytes = finding->row_bytes;
        report_item(&all->report, &result->ghost_list, &item);
        break;
    case FINDING_MISMATCH:
        result->mismatches++;
        item.row_bytes = finding->row_bytes;
        report_item(&all->report, &result->mismatch_list, &item);
        break;
    case FINDING_NONE:
        break;
    }
}

static int settle(struct reconciling *all, struct err *err)
{
    struct findings *findings = &all->findings;
    if (findings_judge(findings, all->report.run, all->scan.bucket, err) ||
        mend_all(&all->mend, findings, err))
        return -1;
    for (size_t i = 0; i < findings->len; i++)
        count(all, &findings->at[i]);
    all->report.result->living += findings->living;
    findings_reset(findings);
    return 0;
}

static void tell_progress(struct reconciling *all)
{
    const struct storage_result *result = all->report.result;
    char message[160];
    snprintf(message, sizeof message,
             "%lld objects, %lld rows: %lld orphans, %lld ghosts, %lld mismatches",
             (long long)result->objects, (long long)result->rows, (long long)result->orphans,
             (long long)result->ghosts, (long long)result->mismatches);
    run_progress(all->report.run, all->expected ? result->rows * 100 / all->expected : 0, message);
}

/* Once for each pair: cheap but for what is asked for now and then. */
static int take(struct reconciling *all, const struct scan_pair *pair, struct err *err)
{
    struct storage_result *result = all->report.result;
    result->objects += pair->object != NULL;
    result->rows += pair->row != NULL;
    result->bytes += pair->object ? pair->object->size_bytes : 0;
    if (!pair->object || !pair->row || pair->object->size_bytes != pair->row->size_bytes)
        findings_add(&all->findings, pair, all->scan.listed_at);
    if (all->findings.len == FINDINGS_MAX && settle(all, err))
        return -1;
    if (++all->steps % SCAN_PAGE != 0)
        return 0;
    if (run_stopped(all->report.run))
        return run_stop_error(all->report.run, err);
    tell_progress(all);
    if (!report_is_due(&all->report))
        return 0;
    return settle(all, err) || report_save(&all->report, pair->key, err) ? -1 : 0;
}

static int scan_all(struct reconciling *all, struct err *err)
{
    struct scan_pair pair;
    int more;
    while ((more = scan_next(&all->scan, &pair, err)) > 0)
        if (take(all, &pair, err))
            return -1;
    return more < 0 ? -1 : settle(all, err);
}

/* Only for the progress: a store that cannot count so many in time is no failure. */
static int64_t expected_rows(struct reconciling *all)
{
    const struct file_path filter = {.backend = bucket_backend(all->scan.bucket)};
    struct store_sum *sum;
    struct err ignored = {0};
    size_t len;
    if (all->scan.prefix ||
        store_sum(run_store(all->report.run), FILE_PATH_COLLECTION, &file_path_doc, &filter, NULL,
                  "size_bytes", 1, run_arena(all->report.run), &sum, &len, &ignored))
        return 0;
    return len ? sum->count : 0;
}

/* An empty bucket is more likely the wrong one than one whose objects have all gone. */
static int check_bucket(struct reconciling *all, struct err *err)
{
    struct objects any;
    if (!all->mend.asked->forget_ghosts)
        return 0;
    if (bucket_list(all->scan.bucket, "", NULL, 1, run_arena(all->report.run), &any, err))
        return -1;
    if (any.len > 0)
        return 0;
    return err_set(err, ERR_OBJECT_NOT_FOUND,
                   "the bucket '%s' is empty: no row is forgotten for that",
                   bucket_name(all->scan.bucket));
}

static int begin(struct reconciling *all, const struct storage_reconcile *asked, struct err *err)
{
    if (report_begin(&all->report, err) || run_bucket(all->report.run, &all->scan.bucket, err))
        return -1;
    all->scan.store = run_store(all->report.run);
    all->scan.prefix = asked->prefix;
    all->scan.after = all->report.result->after;
    all->report.result->after = NULL;
    all->report.result->dry_run = asked->dry_run;
    all->mend = (struct mend){.report = &all->report, .bucket = all->scan.bucket, .asked = asked};
    all->expected = expected_rows(all);
    return check_bucket(all, err);
}

int storage_reconcile(struct run *run, const void *in, void *out, struct err *err)
{
    const struct storage_params *params = in;
    struct reconciling *all = arena_alloc(run_arena(run), sizeof *all);
    all->report = (struct report){.run = run, .result = out};
    int failed = begin(all, &params->reconcile, err) || scan_all(all, err) ? -1 : 0;
    scan_release(&all->scan);
    arena_release(&all->findings.arena);
    return failed;
}
