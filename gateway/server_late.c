/* One list and one timer: every request has the same time, so that the oldest comes first. */
#include "gateway/server_late.h"

#include <stdlib.h>

#include "common/clock.h"

struct late {
    struct slot *first, *last;
    struct event *timer;
    void (*expire)(struct slot *slot);
};

static int64_t left_ms(const struct slot *slot)
{
    return slot->request->began_ms + REQUEST_ANSWER_MS - clock_mono_ms();
}

static void set_timer(struct late *late)
{
    int64_t ms = late->first ? left_ms(late->first) : 0;
    if (ms < 1)
        ms = 1;
    const struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    if (late->first)
        event_add(late->timer, &wait);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct late *late = arg;
    (void)fd;
    (void)what;
    while (late->first && left_ms(late->first) <= 0) {
        struct slot *slot = late->first;
        late_forget(late, slot);
        late->expire(slot);
    }
    set_timer(late);
}

int late_open(struct late **out, struct event_base *base, void (*expire)(struct slot *slot),
              struct err *err)
{
    struct late *late = calloc(1, sizeof *late);
    if (!late)
        abort();
    late->expire = expire;
    late->timer = event_new(base, -1, 0, on_timer, late);
    if (!late->timer) {
        free(late);
        return err_set(err, ERR_INTERNAL, "no event");
    }
    *out = late;
    return 0;
}

void late_free(struct late *late)
{
    if (!late)
        return;
    event_free(late->timer);
    free(late);
}

void late_watch(struct late *late, struct slot *slot)
{
    slot->watched = true;
    slot->older = late->last;
    slot->newer = NULL;
    *(late->last ? &late->last->newer : &late->first) = slot;
    late->last = slot;
    if (late->first == slot && !event_pending(late->timer, EV_TIMEOUT, NULL))
        set_timer(late);
}

void late_forget(struct late *late, struct slot *slot)
{
    if (!slot->watched)
        return;
    slot->watched = false;
    *(slot->older ? &slot->older->newer : &late->first) = slot->newer;
    *(slot->newer ? &slot->newer->older : &late->last) = slot->older;
}
