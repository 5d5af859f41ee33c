/* Constant frame rate from any timestamps. */
#include "worker/transcode/cadence.h"

#include "check.h"

static void rate(int num, int den, int base, int should_num, int should_den)
{
    struct fraction is = cadence_rate((struct fraction){num, den}, (struct fraction){base, 1});
    CHECK_INT(is.num, should_num);
    CHECK_INT(is.den, should_den);
}

static void usual_rates_stay(void)
{
    rate(24000, 1001, 0, 24000, 1001);
    rate(24, 1, 24, 24, 1);
    rate(25, 1, 25, 25, 1);
    rate(30000, 1001, 0, 30000, 1001);
    rate(2997, 100, 0, 30000, 1001);
    rate(50, 1, 50, 50, 1);
    rate(60000, 1001, 0, 60000, 1001);
    rate(60, 1, 60, 60, 1);
}

static void high_rates_are_halved(void)
{
    rate(240, 1, 240, 60, 1);
    rate(120, 1, 120, 60, 1);
    rate(100, 1, 100, 50, 1);
    rate(240000, 1001, 240, 60000, 1001);
}

static void odd_rates(void)
{
    rate(17, 1, 90000, 20, 1);     /* variable */
    rate(27, 1, 30, 30, 1);        /* 30 with dropped frames */
    rate(1, 1, 1, 10, 1);          /* a slide show */
    rate(0, 1, 0, 25, 1);          /* unknown */
    rate(2147483647, 1, 0, 25, 1); /* absurd */
}

static struct cadence at(int num, int den, int tb)
{
    return (struct cadence){.rate = {num, den}, .time_base = {1, tb}};
}

static void steady(void)
{
    struct cadence cadence = at(30000, 1001, 90000);
    int64_t repeat;
    for (int i = 0; i < 100000; i++) {
        CHECK_INT(cadence_take(&cadence, 700 + (int64_t)i * 3003, &repeat), 1);
        CHECK_INT(repeat, 0);
    }
    CHECK_INT(cadence_finish(&cadence, 3003), 0);
    CHECK_INT(cadence.next, 100000);
}

static void holes_repeat_and_crowds_drop(void)
{
    struct cadence cadence = at(25, 1, 1000);
    int64_t repeat;
    CHECK_INT(cadence_take(&cadence, 0, &repeat), 1);
    CHECK_INT(cadence_take(&cadence, 5, &repeat), 0);
    CHECK_INT(cadence_take(&cadence, 200, &repeat), 1);
    CHECK_INT(repeat, 4);
    CHECK_INT(cadence.next, 6);
}

static void time_never_runs_back(void)
{
    struct cadence cadence = at(25, 1, 1000);
    int64_t repeat;
    CHECK_INT(cadence_take(&cadence, -80, &repeat), 1);
    CHECK_INT(cadence_take(&cadence, -40, &repeat), 1);
    CHECK_INT(cadence_take(&cadence, -40, &repeat), 0);
    CHECK_INT(cadence_take(&cadence, -80, &repeat), 0);
    CHECK_INT(cadence_take(&cadence, 0, &repeat), 1);
    CHECK_INT(cadence.next, 3);
}

static void the_last_frame_keeps_its_duration(void)
{
    struct cadence cadence = at(10, 1, 1000);
    int64_t repeat;
    CHECK_INT(cadence_take(&cadence, 0, &repeat), 1);
    CHECK_INT(cadence_take(&cadence, 1000, &repeat), 1);
    CHECK_INT(repeat, 9);
    CHECK_INT(cadence_finish(&cadence, 0), 9);
    CHECK_INT(cadence.next, 20);
}

static void absurd_times_stay_bounded(void)
{
    struct cadence cadence = at(60, 1, 1);
    int64_t repeat;
    CHECK_INT(cadence_take(&cadence, INT64_MIN, &repeat), 1);
    CHECK_INT(cadence_take(&cadence, INT64_MAX, &repeat), 1);
    CHECK(repeat > 1000000000);
    CHECK(cadence_finish(&cadence, INT64_MAX) >= 0);
}

int main(void)
{
    RUN(usual_rates_stay);
    RUN(high_rates_are_halved);
    RUN(odd_rates);
    RUN(steady);
    RUN(holes_repeat_and_crowds_drop);
    RUN(time_never_runs_back);
    RUN(the_last_frame_keeps_its_duration);
    RUN(absurd_times_stay_bounded);
    return 0;
}
