/* Pauses double up to their bound, stay within the jitter, and begin anew after a success. */
#include "common/backoff.h"

#include "check.h"

static void doubles_to_its_bound(void)
{
    struct backoff backoff = {.first_ms = 200, .max_ms = 30000};
    const int64_t should[] = {200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};
    for (size_t i = 0; i < sizeof should / sizeof should[0]; i++) {
        backoff_fail(&backoff, 1000, 20); /* 20: no jitter */
        CHECK_INT(backoff_left(&backoff, 1000), should[i]);
    }
}

static void jitter_is_within_a_fifth(void)
{
    for (uint32_t random = 0; random < 1000; random++) {
        struct backoff backoff = {.first_ms = 1000, .max_ms = 30000};
        backoff_fail(&backoff, 0, random);
        CHECK(backoff.until_ms >= 800 && backoff.until_ms <= 1200);
    }
}

static void success_begins_anew(void)
{
    struct backoff backoff = {.first_ms = 200, .max_ms = 30000};
    CHECK_INT(backoff_left(&backoff, 0), 0);
    backoff_fail(&backoff, 0, 20);
    backoff_fail(&backoff, 0, 20);
    backoff_reset(&backoff);
    CHECK_INT(backoff_left(&backoff, 0), 0);
    backoff_fail(&backoff, 0, 20);
    CHECK_INT(backoff_left(&backoff, 150), 50);
    CHECK_INT(backoff_left(&backoff, 300), 0);
}

int main(void)
{
    RUN(doubles_to_its_bound);
    RUN(jitter_is_within_a_fifth);
    RUN(success_begins_anew);
    return 0;
}
