/* Reads of one job each, gathered: those that come while a read is under way are the next one. Who polls a job in a crowd
 * costs the store, and the gateway, a fraction of a round trip. */
#ifndef GATEWAY_JOB_READER_H
#define GATEWAY_JOB_READER_H

#include "common/store.h"

struct job_reader; /* threads of its own */

enum { JOB_READ_MAX = 64 }; /* jobs of one read */

struct job_read {
    const char *id; /* the caller's, as it is until done */
    /* Called exactly once, from a thread of the reader's; must not block. Others may be shown the same job, which lives as
     * long as the call. NULL: ERR_JOB_NOT_FOUND, or the store. */
    void (*done)(void *arg, const struct job *job, const struct err *err);
    void *arg;
    struct job_read *next; /* the reader's own */
};

/* limit: reads submitted and not begun yet, beyond which job_reader_submit says ERR_OVERLOADED. */
struct job_reader *job_reader_open(struct store *store, size_t limit);
/* Reads what was submitted, then ends its threads. NULL is fine. */
void job_reader_free(struct job_reader *reader);
/* Any thread; returns at once. What was saved before is seen. -1: done is not called. */
int job_reader_submit(struct job_reader *reader, struct job_read *read, struct err *err);

#endif
