/* Two rings: what is to be sent, and what was. */
#include "common/publisher_queue.h"

#include <stdlib.h>

void outgoing_finish(const struct outgoing *outgoing, bool confirmed)
{
    if (outgoing->done)
        outgoing->done(outgoing->arg, confirmed);
}

void publisher_queue_init(struct publisher_queue *queue, size_t room)
{
    *queue = (struct publisher_queue){.at = calloc(room, sizeof *queue->at), .room = room};
    if (!queue->at)
        abort();
}

void publisher_queue_release(struct publisher_queue *queue)
{
    free(queue->at);
    *queue = (struct publisher_queue){0};
}

void publisher_queue_push(struct publisher_queue *queue, const struct outgoing *outgoing)
{
    queue->at[(queue->head + queue->len++) & (queue->room - 1)] = *outgoing;
}

bool publisher_queue_pop(struct publisher_queue *queue, struct outgoing *out)
{
    if (queue->len == 0)
        return false;
    *out = queue->at[queue->head];
    queue->head = (queue->head + 1) & (queue->room - 1);
    queue->len--;
    return true;
}

static bool is_ticket_of(const struct outgoing *outgoing, enum kind kind)
{
    return !outgoing->letter && outgoing->kind == kind;
}

int64_t publisher_queue_count(const struct publisher_queue *queue, enum kind kind)
{
    int64_t count = 0;
    for (size_t i = 0; i < queue->len; i++)
        count += is_ticket_of(&queue->at[(queue->head + i) & (queue->room - 1)], kind);
    return count;
}

const struct outgoing *publisher_queue_peek(const struct publisher_queue *queue)
{
    return queue->len ? &queue->at[queue->head] : NULL;
}

static size_t slot_of(uint64_t tag)
{
    return (size_t)(tag % WINDOW_ROOM);
}

void window_reset(struct window *window)
{
    window->first = window->next = 1;
    for (size_t i = 0; i < WINDOW_ROOM; i++)
        window->open[i] = false;
}

bool window_has_room(const struct window *window)
{
    return window->next - window->first < WINDOW_MAX;
}

bool window_is_empty(const struct window *window)
{
    return window->first == window->next;
}

int64_t window_count(const struct window *window, enum kind kind)
{
    int64_t count = 0;
    for (uint64_t tag = window->first; tag < window->next; tag++)
        count += window->open[slot_of(tag)] && is_ticket_of(&window->slots[slot_of(tag)], kind);
    return count;
}

uint64_t window_add(struct window *window, const struct outgoing *outgoing)
{
    uint64_t tag = window->next++;
    window->slots[slot_of(tag)] = *outgoing;
    window->open[slot_of(tag)] = true;
    return tag;
}

struct outgoing *window_find(struct window *window, uint64_t tag)
{
    bool is_open = tag >= window->first && tag < window->next && window->open[slot_of(tag)];
    return is_open ? &window->slots[slot_of(tag)] : NULL;
}

static bool take(struct window *window, uint64_t tag, struct outgoing *out)
{
    *out = window->slots[slot_of(tag)];
    window->open[slot_of(tag)] = false;
    while (window->first < window->next && !window->open[slot_of(window->first)])
        window->first++;
    return true;
}

bool window_settle(struct window *window, uint64_t tag, bool multiple, struct outgoing *out)
{
    /* The first is always open, unless there is none. */
    if (multiple && window->first <= tag && !window_is_empty(window))
        return take(window, window->first, out);
    return !multiple && window_find(window, tag) && take(window, tag, out);
}

bool window_expire(struct window *window, int64_t now_ms, struct outgoing *out)
{
    for (uint64_t tag = window->first; tag < window->next; tag++) {
        const struct outgoing *outgoing = window_find(window, tag);
        if (outgoing && outgoing->deadline_ms <= now_ms)
            return take(window, tag, out);
    }
    return false;
}
