/* The clock's door: time that passes as fast as the test says. For programs of one file. */
#ifndef TESTS_FAKE_CLOCK_H
#define TESTS_FAKE_CLOCK_H

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"

static int64_t fake_speed = 1; /* set before any thread starts */
static _Atomic int64_t fake_skipped_ms;
static _Atomic int64_t fake_jumped_ms; /* the server's clock, since the start */
static const int64_t fake_epoch = INT64_C(1767225600000);

int64_t clock_mono_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return ((int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000) * fake_speed / 1000 +
           fake_skipped_ms;
}

int64_t clock_now_ms(void)
{
    return fake_epoch + fake_jumped_ms + clock_mono_ms();
}

void clock_adjust(int64_t server_ms, int64_t mono_ms)
{
    fake_jumped_ms = server_ms - mono_ms - fake_epoch;
}

void clock_sleep_ms(int64_t ms)
{
    int64_t us = ms * 1000 / fake_speed;
    struct timespec left = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    while (us > 0 && nanosleep(&left, &left) && errno == EINTR)
        ;
}

int64_t clock_wall_s(void)
{
    return clock_now_ms() / 1000;
}

int clock_parse(const char *text, int64_t *ms)
{
    (void)text, (void)ms;
    return -1;
}

void clock_format(int64_t ms, char out[CLOCK_RFC3339_LEN + 1])
{
    (void)ms;
    strcpy(out, "2026-01-01T00:00:00.000Z");
}

void clock_format_basic(int64_t s, char out[17])
{
    (void)s;
    strcpy(out, "20260101T000000Z");
}

#endif
