/* When a process stops claiming for want of room, and when it goes on. */
#include "check.h"

#include "worker/room.h"

enum { MIB = 1 << 20 };

static void what_begins_jobs_waits_for_all_of_the_room(void)
{
    struct room room = {0};
    const struct kind_row *download = &kinds[KIND_DOWNLOAD];
    CHECK(room_left(&room, download, 100 * MIB, 100 * MIB, 0));
    CHECK(!room_left(&room, download, 99 * MIB, 100 * MIB, 0));
    CHECK(room.full);
    CHECK(!room_left(&room, download, 110 * MIB, 100 * MIB, 1));
    CHECK(room_left(&room, download, 113 * MIB, 100 * MIB, 2));
    CHECK(!room.full);
    CHECK(room_left(&room, download, 101 * MIB, 100 * MIB, 3));
}

static void what_ends_jobs_uses_most_of_it(void)
{
    struct room room = {0};
    const struct kind_row *transcode = &kinds[KIND_TRANSCODE];
    CHECK(room_left(&room, transcode, 25 * MIB, 100 * MIB, 0));
    CHECK(!room_left(&room, transcode, 24 * MIB, 100 * MIB, 0));
    CHECK(room_left(&room, transcode, 29 * MIB, 100 * MIB, 0));
    CHECK(room_left(&room, &kinds[KIND_UPLOAD], 0, 100 * MIB, 0)); /* it makes room */
    CHECK(room_left(&room, &kinds[KIND_CLEANUP], 0, 100 * MIB, 0));
}

/* Sources that wait for their transcode fill the workspace: nothing else would ever end. */
static void a_full_workspace_does_not_stand_still_for_ever(void)
{
    struct room room = {0};
    int64_t day = 86400000;
    CHECK(!room_left(&room, &kinds[KIND_TRANSCODE], 0, 100 * MIB, 5));
    CHECK(!room_left(&room, &kinds[KIND_TRANSCODE], 0, 100 * MIB, 4 + ROOM_PATIENCE_MS));
    CHECK(room_left(&room, &kinds[KIND_TRANSCODE], 0, 100 * MIB, 5 + ROOM_PATIENCE_MS));
    CHECK(room.full);
    CHECK(!room_left(&room, &kinds[KIND_TRANSCODE], 0, 100 * MIB, 6 + ROOM_PATIENCE_MS));
    CHECK(!room_left(&room, &kinds[KIND_DOWNLOAD], 0, 100 * MIB, day));
}

static void what_is_not_known_or_not_asked_for_stops_nothing(void)
{
    struct room room = {0};
    CHECK(room_left(&room, &kinds[KIND_DOWNLOAD], -1, 100 * MIB, 0));
    CHECK(room_left(&room, &kinds[KIND_DOWNLOAD], 0, 0, 0));
}

int main(void)
{
    RUN(what_begins_jobs_waits_for_all_of_the_room);
    RUN(what_ends_jobs_uses_most_of_it);
    RUN(a_full_workspace_does_not_stand_still_for_ever);
    RUN(what_is_not_known_or_not_asked_for_stops_nothing);
    return 0;
}
