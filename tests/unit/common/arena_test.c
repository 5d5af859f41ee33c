/* Tests of common/arena.c. */
#include "common/arena.h"

#include <stdint.h>

#include "check.h"

static void memory_is_zeroed_and_aligned(void)
{
    struct arena arena = {0};
    for (size_t bytes = 0; bytes < 3000; bytes += 7) {
        unsigned char *at = arena_alloc(&arena, bytes);
        CHECK((uintptr_t)at % _Alignof(max_align_t) == 0);
        for (size_t i = 0; i < bytes; i++)
            CHECK_INT(at[i], 0);
        memset(at, 0xAA, bytes);
    }
    arena_reset(&arena);
    unsigned char *again = arena_alloc_array(&arena, 100, 10);
    for (size_t i = 0; i < 1000; i++)
        CHECK_INT(again[i], 0);
    arena_release(&arena);
}

static void a_large_piece_leaves_the_small_block_in_use(void)
{
    struct arena arena = {0};
    char *small = arena_alloc(&arena, 16);
    arena_alloc(&arena, 1 << 20);
    char *next = arena_alloc(&arena, 16);
    CHECK(next == small + 16);
    arena_release(&arena);
}

static void reset_forgets_what_was_handed_out(void)
{
    struct arena arena = {0};
    arena_reset(&arena);
    char *first = arena_alloc(&arena, 100);
    CHECK(arena.bytes >= 100);
    arena_reset(&arena);
    CHECK_INT(arena.bytes, 0);
    CHECK(arena_alloc(&arena, 100) == first);
    arena_release(&arena);
    arena_release(&arena);
}

static void copies(void)
{
    struct arena arena = {0};
    CHECK_STR(arena_strdup(&arena, "hello"), "hello");
    CHECK(arena_strdup(&arena, NULL) == NULL);
    CHECK_STR(arena_strndup(&arena, "hello", 2), "he");
    CHECK_STR(arena_strndup(&arena, NULL, 0), "");
    CHECK_STR(arena_printf(&arena, "%d-%s", 7, "x"), "7-x");
    CHECK(memcmp(arena_memdup(&arena, "ab\0c", 4), "ab\0c", 4) == 0);
    arena_release(&arena);
}

static void a_text_grows(void)
{
    struct arena arena = {0};
    struct text text = {.arena = &arena};
    for (int i = 0; i < 1000; i++) {
        text_puts(&text, "ab");
        text_printf(&text, "%03d", i);
    }
    text_add(&text, NULL, 0);
    CHECK_INT(text.len, 5000);
    CHECK_INT(strlen(text.at), 5000);
    CHECK(memcmp(text.at + 4990, "ab998ab999", 10) == 0);
    arena_release(&arena);
}

int main(void)
{
    RUN(memory_is_zeroed_and_aligned);
    RUN(a_large_piece_leaves_the_small_block_in_use);
    RUN(reset_forgets_what_was_handed_out);
    RUN(copies);
    RUN(a_text_grows);
}
