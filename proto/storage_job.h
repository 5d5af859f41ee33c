/* storage: work over the whole ledger and bucket, asked for by an administrator. One kind, several actions. */
#ifndef PROTO_STORAGE_JOB_H
#define PROTO_STORAGE_JOB_H

#include "proto/settings.h"

enum { STORAGE_TOLD_MAX = 100 }; /* of each list in a result: the first ones */

enum storage_action { STORAGE_ACTION_NONE, STORAGE_RECONCILE, STORAGE_MIGRATE, STORAGE_DUPLICATES, STORAGE_EXPIRE, STORAGE_ACTION_COUNT };
extern const char *const storage_action_names[];

/* What a request says, and what it means when it says nothing. */
struct storage_reconcile {
    const char *prefix; /* of object keys; NULL: the whole bucket */
    bool dry_run;       /* counts what the others below would do, changes nothing */
    bool adopt;          /* orphans get a row */
    bool delete_orphans; /* those older than older_than_s */
    bool forget_ghosts;  /* their rows go */
    int64_t older_than_s; /* 0: a day */
};
struct storage_migrate {
    enum backend from, to;
    const char *project_id; /* NULL: all */
    int64_t rate_bytes;     /* a second; 0: as fast as it goes */
};
struct storage_duplicates {
    const char *project_id; /* NULL: all */
};

struct storage_expire {
    int64_t older_than_s; /* what changed since is left alone; 0: a day */
    bool dry_run;
};

/* Of a task: the action, and the document of that action. */
struct storage_params {
    enum storage_action action;
    struct storage_reconcile reconcile;
    struct storage_migrate migrate;
    struct storage_duplicates duplicates;
    struct storage_expire expire;
};

struct storage_item {
    const char *key;
    int64_t size_bytes; /* of the object; of a ghost: of its row */
    int64_t row_bytes;  /* of the row, where they differ */
};
struct storage_items {
    struct storage_item *at;
    size_t len;
};
struct storage_group { /* objects of the same content */
    const char *sha256;
    int64_t objects, size_bytes, saved_bytes; /* size_bytes: of one; saved_bytes: of all but one */
};
struct storage_groups {
    struct storage_group *at;
    size_t len;
};
struct storage_result {
    bool dry_run;
    const char *after; /* saved by a run that goes on: where the next one begins */
    int64_t objects, rows, bytes; /* looked at */
    int64_t orphans, orphan_bytes, ghosts, mismatches, living;
    int64_t adopted, deleted, forgotten, failed;
    int64_t copied, switched; /* of a migration: objects copied, rows that say so */
    int64_t groups, duplicates, saved_bytes;
    int64_t directories, uploads, expired_jobs; /* of an expiry: removed, aborted, forgotten */
    struct storage_items orphan_list, ghost_list, mismatch_list, failed_list;
    struct storage_groups group_list;
};
extern const struct doc storage_reconcile_doc, storage_migrate_doc, storage_duplicates_doc, storage_expire_doc,
    storage_params_doc, storage_item_doc, storage_group_doc, storage_result_doc;

#endif
