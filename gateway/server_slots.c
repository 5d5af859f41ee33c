/* A slot keeps its request, and that its arena's block, for the next one. */
#include "gateway/server_slots.h"

#include <stdlib.h>

enum { STEP = 64 };

struct slots {
    void *owner;
    struct slot *free;
    struct slot **blocks; /* of STEP slots each */
    size_t blocks_len, busy;
};

struct slots *slots_open(void *owner)
{
    struct slots *slots = calloc(1, sizeof *slots);
    if (!slots)
        abort();
    slots->owner = owner;
    return slots;
}

void slots_free(struct slots *slots)
{
    if (!slots)
        return;
    for (size_t i = 0; i < slots->blocks_len * STEP; i++) {
        struct request *request = slots->blocks[i / STEP][i % STEP].request;
        if (request)
            arena_release(&request->arena);
        free(request);
    }
    for (size_t i = 0; i < slots->blocks_len; i++)
        free(slots->blocks[i]);
    free(slots->blocks);
    free(slots);
}

static void add(struct slots *slots)
{
    struct slot *block = calloc(STEP, sizeof *block);
    struct slot **blocks = realloc(slots->blocks, (slots->blocks_len + 1) * sizeof(struct slot *));
    if (!block || !blocks)
        abort();
    slots->blocks = blocks;
    slots->blocks[slots->blocks_len++] = block;
    for (size_t i = 0; i < STEP; i++) {
        block[i] = (struct slot){.slots = slots, .owner = slots->owner, .next = slots->free};
        slots->free = &block[i];
    }
}

struct slot *slots_take(struct slots *slots, struct evhttp_request *to)
{
    if (!slots->free)
        add(slots);
    struct slot *slot = slots->free;
    slots->free = slot->next;
    slots->busy += 1;
    slot->to = to;
    slot->late = false;
    if (!slot->request && !(slot->request = calloc(1, sizeof *slot->request)))
        abort();
    request_reset(slot->request);
    return slot;
}

void slots_give(struct slot *slot)
{
    slot->to = NULL;
    slot->next = slot->slots->free;
    slot->slots->free = slot;
    slot->slots->busy -= 1;
}

size_t slots_busy(const struct slots *slots)
{
    return slots->busy;
}
