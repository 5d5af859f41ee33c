/* Which sizes come out of which source, from which others, with how many threads. */
#include "worker/transcode/ladder.h"

#include "check.h"

static void check(int width, int height, const char *should)
{
    struct ladder ladder;
    char is[128] = "";
    ladder_build(width, height, &ladder);
    for (int i = 0; i < ladder.len; i++)
        snprintf(is + strlen(is), sizeof is - strlen(is), "%s%dx%d", i ? " " : "",
                 ladder.at[i].width, ladder.at[i].height);
    CHECK_STR(is, should);
}

static void landscape(void)
{
    check(3840, 2160, "1920x1080 1280x720 854x480 640x360");
    check(1920, 1080, "1920x1080 1280x720 854x480 640x360");
    check(1280, 720, "1280x720 854x480 640x360");
    check(854, 480, "854x480 640x360");
}

static void portrait_goes_by_the_short_side(void)
{
    check(1080, 1920, "1080x1920 720x1280 480x854 360x640");
    check(608, 1080, "480x852 360x640");
}

static void between_two_rungs_nothing_is_upscaled(void)
{
    check(1600, 900, "1280x720 854x480 640x360");
    check(1920, 800, "1728x720 1152x480 864x360");
    check(500, 500, "480x480 360x360");
}

static void smaller_than_every_rung(void)
{
    check(320, 240, "320x240");
    check(321, 241, "320x240");
    check(1, 1, "2x2");
}

static void rates(void)
{
    struct ladder ladder;
    ladder_build(1920, 1080, &ladder);
    CHECK_INT(ladder.at[0].maxrate_bps, 5600000);
    CHECK_INT(ladder.at[3].maxrate_bps, 875000);
}

/* For each rung that is made, from which one it is scaled. */
static void check_cascade(int width, int height, int first, const char *should)
{
    struct ladder ladder;
    char is[64] = "";
    ladder_build(width, height, &ladder);
    for (int i = first; i < ladder.len; i++)
        snprintf(is + strlen(is), sizeof is - strlen(is), "%s%d", i > first ? " " : "",
                 ladder_scaled_from(&ladder, first, i));
    CHECK_STR(is, should);
}

/* 360 from 720, not from 480: nothing is scaled three times. */
static void scaled_from_what_is_half_as_large_again(void)
{
    check_cascade(1920, 1080, 0, "-1 0 1 1");
    check_cascade(1080, 1920, 0, "-1 0 1 1");
    check_cascade(1280, 720, 0, "-1 0 0");
    check_cascade(854, 480, 0, "-1 -1");
    check_cascade(320, 240, 0, "-1");
}

static void scaled_from_the_source_without_the_first(void)
{
    check_cascade(1920, 1080, 1, "-1 1 1");
    check_cascade(1280, 720, 1, "-1 -1");
}

static void check_threads(int width, int height, int first, int cores, const char *should)
{
    struct ladder ladder;
    char is[64] = "";
    ladder_build(width, height, &ladder);
    for (int i = first; i < ladder.len; i++)
        snprintf(is + strlen(is), sizeof is - strlen(is), "%s%d", i > first ? " " : "",
                 ladder_threads(&ladder, first, i, cores));
    CHECK_STR(is, should);
}

static void threads_by_the_share_of_the_pixels(void)
{
    check_threads(1920, 1080, 0, 1, "1 1 1 1");
    check_threads(1920, 1080, 0, 2, "1 1 1 1");
    check_threads(1920, 1080, 0, 4, "2 1 1 1");
    check_threads(1920, 1080, 0, 16, "9 4 2 1");
    check_threads(1920, 1080, 1, 2, "1 1 1");
    check_threads(320, 240, 0, 4, "4");
    check_threads(8192, 1080, 0, 64, "37 16 7 4");
}

int main(void)
{
    RUN(landscape);
    RUN(portrait_goes_by_the_short_side);
    RUN(between_two_rungs_nothing_is_upscaled);
    RUN(smaller_than_every_rung);
    RUN(rates);
    RUN(scaled_from_what_is_half_as_large_again);
    RUN(scaled_from_the_source_without_the_first);
    RUN(threads_by_the_share_of_the_pixels);
    return 0;
}
