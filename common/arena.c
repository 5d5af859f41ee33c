/* Memory that lives as long as a request or a task: blocks that double from 4 to 64 KiB, filled
 * from the start. */
#include "common/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_MIN = 4096, BLOCK_MAX = 65536 };

struct arena_block {
    struct arena_block *next;
    size_t used, room;
    max_align_t memory[];
};

static void die(void)
{
    static const char message[] = "out of memory\n";
    fwrite(message, 1, sizeof message - 1, stderr);
    abort();
}

static struct arena_block *block_new(size_t room)
{
    struct arena_block *block = malloc(sizeof *block + room);
    if (!block)
        die();
    block->next = NULL;
    block->used = 0;
    block->room = room;
    return block;
}

static size_t aligned(size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        die();
    size_t unit = _Alignof(max_align_t);
    return (bytes + unit - 1) / unit * unit;
}

/* A block with room for that many bytes. What is too large to share a block gets its own, behind
 * the current one. */
static struct arena_block *block_for(struct arena *arena, size_t bytes)
{
    struct arena_block *head = arena->blocks;
    if (head && head->room - head->used >= bytes)
        return head;
    size_t room = !head ? BLOCK_MIN : head->room < BLOCK_MAX / 2 ? head->room * 2 : BLOCK_MAX;
    if (bytes <= room / 2 || !head) {
        struct arena_block *block = block_new(bytes > room ? bytes : room);
        block->next = head;
        arena->blocks = block;
        return block;
    }
    struct arena_block *block = block_new(bytes);
    block->next = head->next;
    head->next = block;
    return block;
}

static void *take(struct arena *arena, size_t bytes)
{
    bytes = aligned(bytes ? bytes : 1);
    struct arena_block *block = block_for(arena, bytes);
    void *at = (char *)block->memory + block->used;
    block->used += bytes;
    arena->bytes += bytes;
    return at;
}

static void free_from(struct arena_block *block)
{
    while (block) {
        struct arena_block *next = block->next;
        free(block);
        block = next;
    }
}

void arena_release(struct arena *arena)
{
    free_from(arena->blocks);
    *arena = (struct arena){0};
}

void arena_reset(struct arena *arena)
{
    struct arena_block *head = arena->blocks;
    arena->bytes = 0;
    if (!head)
        return;
    free_from(head->next);
    head->next = NULL;
    head->used = 0;
    if (head->room > BLOCK_MAX)
        arena_release(arena);
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    void *at = take(arena, bytes);
    memset(at, 0, bytes);
    return at;
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t bytes)
{
    size_t all;
    if (__builtin_mul_overflow(count, bytes, &all))
        die();
    return arena_alloc(arena, all);
}

void *arena_memdup(struct arena *arena, const void *from, size_t bytes)
{
    void *at = take(arena, bytes);
    if (bytes > 0)
        memcpy(at, from, bytes);
    return at;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return text ? arena_memdup(arena, text, strlen(text) + 1) : NULL;
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
    char *at = take(arena, len + 1);
    if (len > 0)
        memcpy(at, text, len);
    at[len] = '\0';
    return at;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *at = arena_vprintf(arena, format, args);
    va_end(args);
    return at;
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0)
        die();
    char *at = take(arena, (size_t)len + 1);
    vsnprintf(at, (size_t)len + 1, format, args);
    return at;
}

/* Room for `more` bytes and the NUL. */
static void text_grow(struct text *text, size_t more)
{
    size_t need = text->len + more + 1;
    if (need <= more)
        die();
    if (need <= text->room)
        return;
    size_t room = text->room < 128 ? 256 : text->room * 2;
    if (room < need)
        room = need;
    char *at = take(text->arena, room);
    if (text->len > 0)
        memcpy(at, text->at, text->len);
    text->at = at;
    text->room = room;
}

void text_add(struct text *text, const char *bytes, size_t len)
{
    text_grow(text, len);
    if (len > 0)
        memcpy(text->at + text->len, bytes, len);
    text->len += len;
    text->at[text->len] = '\0';
}

void text_puts(struct text *text, const char *string)
{
    text_add(text, string, strlen(string));
}

void text_printf(struct text *text, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0)
        die();
    text_grow(text, (size_t)len);
    vsnprintf(text->at + text->len, (size_t)len + 1, format, args);
    text->len += (size_t)len;
    va_end(args);
}
