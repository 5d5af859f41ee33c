/* A record of {name, owner, until}; every change of it names what it was before. */
#include "common/turn.h"

#include "proto/turn.h"

/* 1: it was as `filter` says, and is `set` now; 0: it was not; -1. */
static int change(struct store *store, const struct turn *filter, const struct turn *set,
                  struct err *err)
{
    int answer = store_update(store, TURN_COLLECTION, &turn_doc, filter, set, NULL, false, err);
    return answer < 0 ? -1 : answer == 0;
}

/* 1: there was none, and now it is ours; 0: somebody was faster; -1. */
static int make(struct store *store, const struct turn *wanted, struct err *err)
{
    int there = store_insert(store, TURN_COLLECTION, &turn_doc, wanted, err);
    return there < 0 ? -1 : there == 0;
}

/* What is not ours: whose it was must not have changed meanwhile. */
static int take_over(struct store *store, const struct turn *wanted, int64_t now, struct err *err)
{
    const struct turn filter = {.id = wanted->id};
    struct turn found;
    struct arena arena = {0};
    int taken = 0;
    if (store_get(store, TURN_COLLECTION, &turn_doc, &filter, &arena, &found, err)) {
        bool none = err->code == ERR_NOT_FOUND;
        if (none)
            *err = (struct err){0};
        taken = none ? make(store, wanted, err) : -1;
    } else if (found.until <= now) {
        taken = change(store, &found, wanted, err);
    }
    arena_release(&arena);
    return taken;
}

int turn_take(struct store *store, const char *name, const char *owner, int64_t now,
              int64_t lease_ms, struct err *err)
{
    const struct turn wanted = {.id = name, .owner = owner, .until = now + lease_ms};
    const struct turn mine = {.id = name, .owner = owner};
    int taken = change(store, &mine, &wanted, err);
    return taken ? taken : take_over(store, &wanted, now, err);
}

int turn_leave(struct store *store, const char *name, const char *owner, int64_t now,
               struct err *err)
{
    const struct turn mine = {.id = name, .owner = owner}, left = {.id = name, .until = now};
    return change(store, &mine, &left, err) < 0 ? -1 : 0;
}
