/* Tasks that wait, counted in the store, less tickets in the queue. */
#include "common/missing.h"

#include <stdio.h>

#include "common/clock.h"
#include "common/lease.h"

enum {
    LOOK_MS = 3000,       /* between two looks ahead; doubles to … */
    LOOK_MAX_MS = 60000,  /* … this while they are of no use */
    LOOKS_AFTER = 2,      /* the first after an outage does not see what was posted just now */
    COUNT_SHARE = 20,     /* counting a large backlog takes at most that part of the time … */
    COUNT_MAX_MS = 10000, /* … but is done that often */
    LEASE_MS = 15000,     /* outlasts what was counted: the next count is due by then */
    OTHERS_MS = 2000      /* until we ask again whether another process still has it */
};

void missing_begin(struct missing *missing, enum kind kind, const char *owner)
{
    missing->kind = kind;
    missing->owner = owner;
    missing->counted = false;
}

void missing_after_outage(struct missing *missing)
{
    missing->after = LOOKS_AFTER;
}

/* The store first: a ticket that arrives meanwhile is no reason to send another; nor is one of our
 * own that is still on its way to the broker. */
static void count_tickets(struct missing *missing, struct store *store, struct publisher *publisher,
                          int64_t now)
{
    struct queue_depth depth = {0};
    struct err err = {0};
    if (store_count_waiting(store, missing->kind, now - MISSING_WAY_MS, &missing->waiting, &err))
        missing->waiting = 1; /* at least whom we were asked for; the next count tells */
    else if (missing->waiting && publisher_depth(publisher, missing->kind, &depth, &err))
        missing->after = LOOKS_AFTER;
    else if (missing->waiting > depth.ready + depth.unconfirmed)
        missing->tickets = missing->waiting - depth.ready - depth.unconfirmed;
}

static void count(struct missing *missing, struct store *store, struct publisher *publisher,
                  int64_t now)
{
    char name[64];
    struct err err = {0};
    int64_t began = clock_mono_ms();
    if (missing->counted || began < missing->count_at)
        return;
    missing->counted = true;
    missing->tickets = 0;
    snprintf(name, sizeof name, "missing.%s", kind_names[missing->kind]);
    if (lease_take(store, name, missing->owner, LEASE_MS, &err)) {
        missing->waiting = 1; /* nobody else may have been asked for them: we ask again */
        missing->count_at = began + OTHERS_MS;
        return;
    }
    count_tickets(missing, store, publisher, now);
    int64_t ended = clock_mono_ms(), pause = COUNT_SHARE * (ended - began);
    missing->count_at = ended + (pause < COUNT_MAX_MS ? pause : COUNT_MAX_MS);
    if (missing->tickets == 0)
        (void)lease_drop(store, name, missing->owner, &err); /* else it ends by itself */
}

bool missing_take(struct missing *missing, struct store *store, struct publisher *publisher,
                  int64_t now)
{
    missing->suspected = true;
    count(missing, store, publisher, now);
    return missing->tickets > 0 && missing->tickets--;
}

/* Looks that find as many as the one before are of no use: the queue takes no more. */
static void plan_look(struct missing *missing, int64_t mono)
{
    bool useless = missing->then && missing->tickets >= missing->then;
    missing->pause_ms = useless ? 2 * missing->pause_ms : LOOK_MS;
    if (missing->pause_ms > LOOK_MAX_MS)
        missing->pause_ms = LOOK_MAX_MS;
    missing->look_at = mono + missing->pause_ms;
    missing->then = missing->tickets;
}

bool missing_look(struct missing *missing, struct store *store, struct publisher *publisher,
                  int64_t now)
{
    int64_t mono = clock_mono_ms();
    if ((!missing->suspected && !missing->after) || mono < missing->look_at)
        return false;
    missing->after -= missing->after > 0;
    count(missing, store, publisher, now);
    plan_look(missing, mono);
    missing->suspected = missing->waiting > 0;
    return missing->tickets > 0;
}
