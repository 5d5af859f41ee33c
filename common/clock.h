/* The one clock: monotonic time plus an offset from the store's clock, so that hosts agree and no jump is seen. */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* ms since 1970 as the store sees it; before the first clock_adjust the host's own. Any thread. */
int64_t clock_now_ms(void);
/* Never jumps; only differences mean something. */
int64_t clock_mono_ms(void);
/* The store said `server_ms` at monotonic time `mono_ms` (the middle of the round trip). Any thread. */
void clock_adjust(int64_t server_ms, int64_t mono_ms);
/* The host's wall clock, for SigV4 (RFC-1123-less ISO basic time) and JWT only. */
int64_t clock_wall_s(void);
void clock_sleep_ms(int64_t ms);

enum { CLOCK_RFC3339_LEN = 24 };
/* "2026-02-03T22:00:00.123Z" and back. clock_parse: -1 if it is not such a time (seconds fraction optional). */
void clock_format(int64_t ms, char out[CLOCK_RFC3339_LEN + 1]);
int clock_parse(const char *text, int64_t *ms);
/* "20260203T220000Z", SigV4's form, of seconds since 1970. */
void clock_format_basic(int64_t s, char out[17]);

#endif
