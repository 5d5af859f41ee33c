/* Fuzzes reading times: whatever is taken must print as a time that reads alike. */
#include <stdbool.h>
#include <stdlib.h>

#include "common/arena.h"
#include "common/clock.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena arena = {0};
    char text[CLOCK_RFC3339_LEN + 1];
    int64_t ms, again;
    if (clock_parse(arena_strndup(&arena, (const char *)bytes, len), &ms) == 0) {
        clock_format(ms, text);
        /* Zones reach a day beyond the years that can be printed. */
        bool printable = ms >= INT64_C(-62167219200000) && ms <= INT64_C(253402300799999);
        if (clock_parse(text, &again) != 0 || (printable && again != ms))
            abort();
    }
    arena_release(&arena);
    return 0;
}
