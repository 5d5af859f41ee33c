/* Read, apply, save, again. */
#include "common/change.h"

#include <string.h>

enum { CONFLICTS_MAX = 32 };

struct job *change_draft(const struct job *job, struct arena *arena)
{
    struct job *draft = arena_memdup(arena, job, sizeof *job);
    if (job->tasks.len)
        draft->tasks.at =
            arena_memdup(arena, job->tasks.at, job->tasks.len * sizeof *job->tasks.at);
    draft->event = (struct log_line){0};
    return draft;
}

static int read_job(struct store *store, const char *id, struct arena *arena, struct job **out,
                    struct err *err)
{
    struct job *job = arena_alloc(arena, sizeof *job);
    if (store_job(store, id, arena, job, err))
        return -1;
    *out = job;
    return 0;
}

int change_job(struct store *store, const char *id, const struct job *known, change_apply *apply,
               void *arg, struct arena *arena, struct job **out, struct err *err)
{
    struct job *before = known ? change_draft(known, arena) : NULL;
    for (int i = 0; i < CONFLICTS_MAX; i++) {
        if (!before && read_job(store, id, arena, &before, err))
            return -1;
        struct job *after = change_draft(before, arena);
        *out = before;
        if (!apply(after, arg))
            return 1;
        struct store_swap swap = {.before = before, .after = after};
        if (store_swap(store, &swap, 1, err))
            return -1;
        if (swap.saved) {
            after->rev = before->rev + 1;
            *out = after;
            return 0;
        }
        before = NULL;
    }
    return err_set(err, ERR_OVERLOADED, "job %s changes too fast to be changed", id);
}
