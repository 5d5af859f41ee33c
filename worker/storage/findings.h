/* What a reconciliation found, gathered key by key and judged in batches: what a job that lives is about to explain is no
 * finding. */
#ifndef WORKER_STORAGE_FINDINGS_H
#define WORKER_STORAGE_FINDINGS_H

#include "worker/storage/scan.h"
#include "worker/storage/storage.h"

enum { FINDINGS_MAX = 250 };

enum finding_sort { FINDING_NONE, FINDING_ORPHAN, FINDING_GHOST, FINDING_MISMATCH };

struct finding {
    enum finding_sort sort; /* NONE: judged to be nothing */
    const char *key, *row_id, *etag; /* row_id: an orphan's is what it would be, once it was judged */
    int64_t size_bytes, row_bytes, modified_at; /* modified_at: of an orphan */
    enum file_state state;                      /* of the row */
    int64_t updated_at;
    int64_t listed_at;
    char job[27]; /* that the key or the row names, or "" */
    bool done;    /* adopted, deleted or forgotten */
};

struct findings {
    struct arena arena; /* of the texts, and of what judging needs */
    struct finding at[FINDINGS_MAX];
    size_t len;
    int64_t living; /* how many were no findings for that */
};

/* Adds what the pair shows, if anything. The batch must have room. */
void findings_add(struct findings *findings, const struct scan_pair *pair, int64_t listed_at);
/* Asks for the jobs, for rows that came since, and for objects that the listing may have missed. */
int findings_judge(struct findings *findings, struct run *run, struct bucket *bucket,
                   struct err *err);
/* For the next batch. */
void findings_reset(struct findings *findings);

#endif
