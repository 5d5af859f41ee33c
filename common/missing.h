/* Whether the queue of a kind has a ticket for each of its tasks that waits. The reconciler's.
 *
 * Which tickets are lost nobody knows: as many are repeated as there are too few, so that a backlog
 * is never doubled; one repeated too many is dropped by the claim. One process of the fleet repeats
 * tickets of a kind at a time (common/lease): two that count at once would find the same ones
 * missing. */
#ifndef COMMON_MISSING_H
#define COMMON_MISSING_H

#include <stdbool.h>
#include <stdint.h>

#include "common/publisher.h"
#include "common/store.h"

enum { MISSING_WAY_MS = 2000 }; /* what waits for less may have its ticket on the way */

struct missing {
    enum kind kind;
    const char *owner; /* this process, in the leases */
    bool counted;      /* in this round */
    int64_t waiting;   /* tasks */
    int64_t tickets;   /* that are missing; 0 while the broker or the store does not say */
    bool suspected;    /* some task waited longer than tickets usually take */
    int after;         /* the broker was away: looks ahead that are left to make good for it */
    int64_t count_at, look_at, pause_ms; /* monotonic */
    int64_t then;                        /* tickets at the last look */
};

/* Of a round of the reconciler, which comes once a second. */
void missing_begin(struct missing *missing, enum kind kind, const char *owner);
void missing_after_outage(struct missing *missing);
/* Whether one ticket may be repeated now; it counts as sent. */
bool missing_take(struct missing *missing, struct store *store, struct publisher *publisher,
                  int64_t now);
/* Whether it is time to look at jobs whose alarm has not passed, because tickets are missing. */
bool missing_look(struct missing *missing, struct store *store, struct publisher *publisher,
                  int64_t now);

#endif
