/* Memory that lives as long as a request or a task: many small allocations, one release. */
#ifndef COMMON_ARENA_H
#define COMMON_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena_block;

/* Zero is an empty arena. Not for two threads at once. Out of memory aborts the process: the broker redelivers. */
struct arena {
    struct arena_block *blocks;
    size_t bytes; /* handed out since the last reset */
};

void arena_release(struct arena *arena);
/* Empties it but keeps one block (64 KiB at most) for the next request. */
void arena_reset(struct arena *arena);

/* Zeroed, aligned for any type. arena_alloc_array checks the multiplication. */
void *arena_alloc(struct arena *arena, size_t bytes);
void *arena_alloc_array(struct arena *arena, size_t count, size_t bytes);
void *arena_memdup(struct arena *arena, const void *from, size_t bytes);
char *arena_strdup(struct arena *arena, const char *text); /* NULL stays NULL */
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *format, va_list args);

/* A growing text in an arena: start with {.arena = a}. `at` is always NUL-terminated once something was added. */
struct text {
    struct arena *arena;
    char *at;
    size_t len, room;
};
void text_add(struct text *text, const char *bytes, size_t len);
void text_puts(struct text *text, const char *string);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
