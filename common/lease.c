/* Taken by comparing: the record must be as it was read. */
#include "common/lease.h"

#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "proto/lease.h"

enum { TRIES = 8, OTHERS = 2 };

/* 0 ours, 1 somebody was faster: look again, OTHERS. */
static int try_once(struct store *store, const struct lease *wanted, int64_t now,
                    struct arena *arena, struct err *err)
{
    const struct lease filter = {.id = wanted->id};
    struct lease is;
    if (store_get(store, LEASE_COLLECTION, &lease_doc, &filter, arena, &is, err)) {
        if (err->code != ERR_NOT_FOUND)
            return -1;
        *err = (struct err){0};
        return store_insert(store, LEASE_COLLECTION, &lease_doc, wanted, err);
    }
    if (is.until > now && (!is.by || strcmp(is.by, wanted->by) != 0))
        return OTHERS;
    return store_update(store, LEASE_COLLECTION, &lease_doc, &is, wanted, NULL, false, err);
}

int lease_take(struct store *store, const char *id, const char *who, int64_t ms, struct err *err)
{
    struct arena arena = {0};
    int64_t now = clock_now_ms();
    const struct lease wanted = {id, who, now + ms};
    int answer = 1;
    for (int i = 0; i < TRIES && answer == 1; i++)
        answer = try_once(store, &wanted, now, &arena, err);
    arena_release(&arena);
    return answer < 0 ? -1 : answer != 0;
}

int lease_drop(struct store *store, const char *id, const char *who, struct err *err)
{
    const struct lease ours = {.id = id, .by = who}, nobodys = {.until = 1};
    return store_update(store, LEASE_COLLECTION, &lease_doc, &ours, &nobodys, NULL, false, err) < 0
               ? -1
               : 0;
}
