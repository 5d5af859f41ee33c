/* The reconciler: looks again at every live job whose alarm has passed, so that no lost message strands a job.
 *
 * A thread that any number of gateways run at once: every step is a compare-and-swap, so that only one of them acts.
 * Once a second it reads the jobs whose alarm_at has passed, moves each alarm first, then does what is due: leases that
 * ended, retries and scheduled tasks that became due, tickets that nobody took (only as many as the kind's queue has
 * fewer tickets than tasks wait in the store, so that a backlog is never doubled), and a ticket for jobs whose finish
 * duties nobody did. While tickets are missing (a queue was purged, the broker was away) it does not wait for alarms. */
#ifndef COMMON_RECONCILE_H
#define COMMON_RECONCILE_H

#include <stdint.h>

#include "common/publisher.h"
#include "common/store.h"

struct reconcile;

struct reconcile_counts {
    int64_t looked, expired, published, conflicts, failures; /* failures: passes or beats that the store did not give */
};

/* After an outage of the store (and at the start) leases are not called ended for one lease_ms: the workers could not
 * renew them either. Nor are they when the store's clock has jumped, until every worker has asked for it. store and publisher must outlive it. */
int reconcile_open(struct reconcile **out, struct store *store, struct publisher *publisher, int64_t lease_ms,
                   struct err *err);
void reconcile_free(struct reconcile *reconcile); /* ends the thread, within one pass */
struct reconcile_counts reconcile_counts(struct reconcile *reconcile);

/* Publishes a ticket for every task of the job that is due now, and one for finishing jobs; used by whoever saved a
 * transition. Does not wait: a lost ticket is the alarm's business. */
int reconcile_publish(struct publisher *publisher, const struct job *job, int64_t now, struct err *err);

#endif
