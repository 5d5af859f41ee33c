/* Tests of common/clock.c. */
#include "common/clock.h"

#include <time.h>

#include "check.h"

static void formats_agree_with_the_library(void)
{
    for (int64_t s = -62167219200; s < 253402300800; s += 86400 * 11 + 12347) {
        char ours[CLOCK_RFC3339_LEN + 1], theirs[96];
        time_t t = (time_t)s;
        struct tm tm;
        gmtime_r(&t, &tm);
        snprintf(theirs, sizeof theirs, "%04d-%02d-%02dT%02d:%02d:%02d.007Z", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        clock_format(s * 1000 + 7, ours);
        CHECK_STR(ours, theirs);
        int64_t back;
        CHECK_INT(clock_parse(ours, &back), 0);
        CHECK_INT(back, s * 1000 + 7);
    }
}

static void times_out_of_range_are_clamped(void)
{
    char out[CLOCK_RFC3339_LEN + 1], basic[17];
    clock_format(INT64_MAX, out);
    CHECK_STR(out, "9999-12-31T23:59:59.999Z");
    clock_format(INT64_MIN, out);
    CHECK_STR(out, "0000-01-01T00:00:00.000Z");
    clock_format_basic(INT64_MAX, basic);
    CHECK_STR(basic, "99991231T235959Z");
    clock_format_basic(1770156000, basic);
    CHECK_STR(basic, "20260203T220000Z");
}

static void good_spellings(void)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},          {"1970-01-01T00:00:00.5Z", 500},
        {"1970-01-01T00:00:00.123999Z", 123}, {"1970-01-01T02:00:00+02:00", 0},
        {"1969-12-31T22:30:00.001-01:30", 1}, {"2024-02-29T00:00:00Z", 1709164800000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ms = -1;
        CHECK_INT(clock_parse(rows[i].text, &ms), 0);
        CHECK_INT(ms, rows[i].ms);
    }
}

static void bad_spellings(void)
{
    static const char *const rows[] = {
        "",
        "2026",
        "2026-02-03",
        "2026-02-03T22:00:00",
        "2026-02-03T22:00:00.Z",
        "2026-02-03 22:00:00Z",
        "2025-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00Zx",
        "2026-01-01T00:00:00+2:00",
        "2026-01-01T00:00:00+24:00",
    };
    int64_t ms;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_INT(clock_parse(rows[i], &ms), -1);
}

static void the_stores_time_holds_once_it_is_known(void)
{
    int64_t wall = clock_wall_s();
    CHECK(clock_now_ms() / 1000 >= wall);
    int64_t mono = clock_mono_ms();
    clock_adjust(1000000, mono);
    int64_t now = clock_now_ms();
    CHECK(now >= 1000000 && now <= 1000000 + (clock_mono_ms() - mono));
    clock_sleep_ms(2);
    clock_sleep_ms(-1);
    CHECK(clock_now_ms() >= now + 1);
}

int main(void)
{
    RUN(formats_agree_with_the_library);
    RUN(times_out_of_range_are_clamped);
    RUN(good_spellings);
    RUN(bad_spellings);
    RUN(the_stores_time_holds_once_it_is_known);
}
