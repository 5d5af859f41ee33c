/* What a reconciliation does about its findings, as far as it was asked to. */
#ifndef WORKER_STORAGE_MEND_H
#define WORKER_STORAGE_MEND_H

#include "proto/key_owner.h"
#include "worker/storage/findings.h"
#include "worker/storage/report.h"

struct mend {
    struct report *report;
    struct bucket *bucket;
    const struct storage_reconcile *asked;
    /* Of the project that was looked at last: whether orphans of it may be adopted. */
    char project[IDENT_MAX + 1];
    bool adoptable;
};

/* Orphans: adopted or, if they are old enough, deleted; ghosts: forgotten. Counts what it does, or with dry_run would do.
 * What fails by itself is counted and told; -1: nothing is known of the rest. */
int mend_all(struct mend *mend, struct findings *findings, struct err *err);

#endif
