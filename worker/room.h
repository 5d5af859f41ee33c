/* Whether a workspace has room for one more task. */
#ifndef WORKER_ROOM_H
#define WORKER_ROOM_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/kind.h"

struct room {
    bool full;
    int64_t since_mono; /* full since, or since a task was let through all the same */
};

enum { ROOM_PATIENCE_MS = 60000 };

/* free_bytes: of the workspace, negative: not known; spare_bytes: MEDIAFLEET_MIN_FREE_BYTES. True: claim. */
bool room_left(struct room *room, const struct kind_row *kind, int64_t free_bytes,
               int64_t spare_bytes, int64_t mono);

#endif
