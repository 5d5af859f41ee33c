/* The bucket's listing and its rows side by side, in the order of their keys: a merge of two streams, a page of each in
 * memory. */
#ifndef WORKER_STORAGE_SCAN_H
#define WORKER_STORAGE_SCAN_H

#include "common/bucket.h"
#include "common/store.h"
#include "proto/file_path.h"

enum { SCAN_PAGE = 1000 };

struct scan_end { /* one of the two streams */
    struct arena arena;
    size_t at, len;
    bool ended;
    char last[OBJECT_KEY_MAX + 2]; /* the key before the one at `at` */
};

/* Zero, with the first part filled, is ready for use. */
struct scan {
    struct store *store;
    struct bucket *bucket;
    const char *prefix; /* NULL: all */
    const char *after;  /* only keys behind it; NULL: all */
    struct objects objects;
    struct file_path *rows;
    struct scan_end listing, ledger;
    int64_t listed_at; /* before that the listing's page was not yet asked for */
};

/* What is known of a key; one of both may be NULL. Good until the next call. */
struct scan_pair {
    const char *key;
    const struct object *object;
    const struct file_path *row;
};

/* 1: a pair, keys ascending; 0: the end; -1. ERR_CONFIG if the storage or the store lists out of order, so that
 * nothing can be said of what is missing. Only rows of the bucket's backend are seen. */
int scan_next(struct scan *scan, struct scan_pair *out, struct err *err);
void scan_release(struct scan *scan);

#endif
