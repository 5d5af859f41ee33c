/* When a process stops claiming, and when it goes on. */
#include "worker/room.h"

/* More than that must be free before a full workspace counts as one with room: an eighth. */
static int64_t enough(int64_t needed, bool full)
{
    return full ? needed + needed / 8 : needed;
}

bool room_left(struct room *room, const struct kind_row *kind, int64_t free_bytes,
               int64_t spare_bytes, int64_t mono)
{
    int64_t needed = spare_bytes / 100 * kind->room_percent;
    bool full = needed > 0 && free_bytes >= 0 && free_bytes < enough(needed, room->full);
    if (full && !room->full)
        room->since_mono = mono;
    room->full = full;
    if (!full)
        return true;
    /* Only the end of its job removes a file that waits for this task: jobs must go on to end, if
     * with an error. */
    if (kind->room_percent >= 100 || mono - room->since_mono < ROOM_PATIENCE_MS)
        return false;
    room->since_mono = mono;
    return true;
}
