/* A migration between two backends: what its two halves, copying and deleting, share. */
#ifndef WORKER_STORAGE_MIGRATE_H
#define WORKER_STORAGE_MIGRATE_H

#include "proto/project.h"
#include "worker/storage/copy.h"
#include "worker/storage/report.h"

enum { MIGRATE_PAGE = 250 };

struct migration {
    struct report report;
    const struct storage_migrate *asked;
    struct bucket *from, *to;
    struct copier copier;
    struct arena page;       /* of one page of rows */
    int64_t expected, seen;  /* rows there are at the beginning, for the progress; those that were looked at */
    char project[PROJECT_KEY_MAX + 1]; /* looked at last */
    bool deleted;
};

/* Rows of the backend that objects are taken from, in that state, behind the key `after`; at most MIGRATE_PAGE. */
int migrate_rows(struct migration *all, enum file_state state, const char *after, struct file_path **out, size_t *len,
                 struct err *err);
void migrate_progress(struct migration *all);
void migrate_failed(struct migration *all, const struct file_path *row);

/* Deletes the sources whose copies are `stored`, also those of earlier runs, then their rows. */
int migrate_sources(struct migration *all, struct err *err);

#endif
