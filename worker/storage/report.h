/* The result of a storage task while it grows: lists of the first ones, checkpoints, lines of the audit. */
#ifndef WORKER_STORAGE_REPORT_H
#define WORKER_STORAGE_REPORT_H

#include "worker/storage/storage.h"

/* Zero, with run and result filled, is ready for report_begin. */
struct report {
    struct run *run;
    struct storage_result *result;
    int64_t began_mono, saved_mono; /* of the last checkpoint */
};

/* What an earlier run of this task has saved becomes the beginning of the result. */
int report_begin(struct report *report, struct err *err);
/* Copies the item, unless the list has STORAGE_TOLD_MAX already. */
void report_item(struct report *report, struct storage_items *list, const struct storage_item *item);
/* Whether it is time for a checkpoint: ever rarer, so that all of them together stay small. */
bool report_is_due(const struct report *report);
/* Everything up to the key `after` is done. */
int report_save(struct report *report, const char *after, struct err *err);
/* A line for what is about to be done, with the counts of `counts`. */
int report_audit(struct report *report, const char *action, const char *subject,
                 const struct storage_result *counts, struct err *err);

#endif
