/* The one clock: the only file that reads the host's wall clock. */
#include "common/clock.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

/* The store's time minus our monotonic time; INT64_MIN until the store was asked. */
static _Atomic int64_t store_offset_ms = INT64_MIN;

static int64_t read_ms(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_now_ms(void)
{
    int64_t offset = atomic_load_explicit(&store_offset_ms, memory_order_relaxed);
    return offset == INT64_MIN ? read_ms(CLOCK_REALTIME) : clock_mono_ms() + offset;
}

int64_t clock_mono_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

void clock_adjust(int64_t server_ms, int64_t mono_ms)
{
    atomic_store_explicit(&store_offset_ms, server_ms - mono_ms, memory_order_relaxed);
}

int64_t clock_wall_s(void)
{
    return read_ms(CLOCK_REALTIME) / 1000;
}

void clock_sleep_ms(int64_t ms)
{
    if (ms <= 0)
        return;
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
        ;
}

/* Days since 1970-01-01 of the proleptic Gregorian calendar and back; the year begins in March, so
 * that the leap day is its last (Hinnant, "chrono-compatible low-level date algorithms"). Years 0 …
 * 9999 only. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t y = year - (month <= 2) + 400;
    int64_t era = y / 400, of_era = y % 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return (era - 1) * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

struct date {
    int64_t year, month, day, of_day_ms;
};

static struct date date_of(int64_t ms)
{
    static const int64_t first = INT64_C(-62167219200000), last = INT64_C(253402300799999);
    ms = ms < first ? first : ms > last ? last : ms;
    int64_t shifted = ms - first;                    /* since 0000-01-01: never negative */
    int64_t days = shifted / 86400000 + 146097 - 60; /* since 1 March of the year -400 */
    int64_t era = days / 146097, of_era = days % 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t shifted_month = (5 * of_year + 2) / 153;
    struct date date = {
        .year = year + (era - 1) * 400,
        .month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9,
        .day = of_year - (153 * shifted_month + 2) / 5 + 1,
        .of_day_ms = shifted % 86400000,
    };
    date.year += date.month <= 2;
    return date;
}

static void put(char *out, int64_t value, int digits)
{
    for (int i = digits - 1; i >= 0; i--, value /= 10)
        out[i] = (char)('0' + value % 10);
}

void clock_format(int64_t ms, char out[CLOCK_RFC3339_LEN + 1])
{
    struct date date = date_of(ms);
    snprintf(out, CLOCK_RFC3339_LEN + 1, "0000-00-00T00:00:00.000Z");
    put(out, date.year, 4);
    put(out + 5, date.month, 2);
    put(out + 8, date.day, 2);
    put(out + 11, date.of_day_ms / 3600000, 2);
    put(out + 14, date.of_day_ms / 60000 % 60, 2);
    put(out + 17, date.of_day_ms / 1000 % 60, 2);
    put(out + 20, date.of_day_ms % 1000, 3);
}

void clock_format_basic(int64_t s, char out[17])
{
    static const int64_t bound = INT64_C(300000000000);
    struct date date = date_of((s < -bound ? -bound : s > bound ? bound : s) * 1000);
    snprintf(out, 17, "00000000T000000Z");
    put(out, date.year, 4);
    put(out + 4, date.month, 2);
    put(out + 6, date.day, 2);
    put(out + 9, date.of_day_ms / 3600000, 2);
    put(out + 11, date.of_day_ms / 60000 % 60, 2);
    put(out + 13, date.of_day_ms / 1000 % 60, 2);
}

/* Reads exactly `digits` digits and the character after them (0: none wanted). */
static bool get(const char **at, int digits, char after, int64_t *out)
{
    int64_t value = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        value = value * 10 + (**at - '0');
    }
    *out = value;
    return !after || *(*at)++ == after;
}

/* ".123456" in whole ms; more digits than that are read and dropped. */
static bool get_fraction(const char **at, int64_t *ms)
{
    *ms = 0;
    if (**at != '.')
        return true;
    const char *from = ++*at;
    for (int64_t unit = 100; **at >= '0' && **at <= '9'; (*at)++, unit /= 10)
        *ms += (**at - '0') * unit;
    return *at > from;
}

static bool get_zone(const char **at, int64_t *ms)
{
    *ms = 0;
    char sign = *(*at)++;
    if (sign == 'Z')
        return true;
    int64_t hours, minutes;
    if ((sign != '+' && sign != '-') || !get(at, 2, ':', &hours) || !get(at, 2, 0, &minutes))
        return false;
    *ms = (hours * 60 + minutes) * 60000 * (sign == '-' ? -1 : 1);
    return hours < 24 && minutes < 60;
}

static int64_t days_in(int64_t year, int64_t month)
{
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

int clock_parse(const char *text, int64_t *ms)
{
    int64_t year, month, day, hour, minute, second, fraction, zone;
    if (!get(&text, 4, '-', &year) || !get(&text, 2, '-', &month) || !get(&text, 2, 'T', &day) ||
        !get(&text, 2, ':', &hour) || !get(&text, 2, ':', &minute) || !get(&text, 2, 0, &second) ||
        !get_fraction(&text, &fraction) || !get_zone(&text, &zone) || *text != '\0')
        return -1;
    if (month < 1 || month > 12 || day < 1 || day > days_in(year, month) || hour > 23 ||
        minute > 59 || second > 59)
        return -1;
    *ms = days_of(year, month, day) * 86400000 + hour * 3600000 + minute * 60000 + second * 1000 +
          fraction - zone;
    return 0;
}
