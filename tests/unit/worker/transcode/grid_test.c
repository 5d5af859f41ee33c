/* Regular grids and given ones. */
#include "worker/transcode/grid.h"

#include "check.h"

static void regular(void)
{
    const struct grid grid = {.gop_frames = 50, .segment_frames = 150};
    CHECK_INT(grid_at(&grid, 0), CUT_SEGMENT);
    CHECK_INT(grid_at(&grid, 1), CUT_NONE);
    CHECK_INT(grid_at(&grid, 50), CUT_FRAGMENT);
    CHECK_INT(grid_at(&grid, 149), CUT_NONE);
    CHECK_INT(grid_at(&grid, 300), CUT_SEGMENT);
    CHECK_INT(grid_start(&grid, 0), 0);
    CHECK_INT(grid_start(&grid, 3), 450);
}

/* Key frames are counted from the start of each segment. */
static void given(void)
{
    static const int64_t starts[] = {0, 96, 106, 250};
    const struct grid grid = {.gop_frames = 50, .segment_frames = 150, .starts = starts, .len = 4};
    CHECK_INT(grid_at(&grid, 0), CUT_SEGMENT);
    CHECK_INT(grid_at(&grid, 50), CUT_FRAGMENT);
    CHECK_INT(grid_at(&grid, 95), CUT_NONE);
    CHECK_INT(grid_at(&grid, 96), CUT_SEGMENT);
    CHECK_INT(grid_at(&grid, 100), CUT_NONE);
    CHECK_INT(grid_at(&grid, 106), CUT_SEGMENT);
    CHECK_INT(grid_at(&grid, 146), CUT_NONE);
    CHECK_INT(grid_at(&grid, 156), CUT_FRAGMENT);
    CHECK_INT(grid_at(&grid, 250), CUT_SEGMENT);
    CHECK_INT(grid_at(&grid, 1000000 + 250), CUT_FRAGMENT);
    CHECK_INT(grid_start(&grid, 2), 106);
    CHECK_INT(grid_start(&grid, 4), INT64_MAX);
}

int main(void)
{
    RUN(regular);
    RUN(given);
    return 0;
}
