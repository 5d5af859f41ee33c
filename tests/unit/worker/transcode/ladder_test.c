/* Which sizes come out of which source. */
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

static void profiles(void)
{
    struct ladder ladder;
    ladder_build(1920, 1080, &ladder);
    CHECK_STR(ladder.at[1].profile, "high");
    CHECK_STR(ladder.at[2].profile, "main");
    CHECK_INT(ladder.at[0].maxrate_bps, 5600000);
}

int main(void)
{
    RUN(landscape);
    RUN(portrait_goes_by_the_short_side);
    RUN(between_two_rungs_nothing_is_upscaled);
    RUN(smaller_than_every_rung);
    RUN(profiles);
    return 0;
}
