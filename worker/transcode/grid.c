/* A regular grid, or one that a copied rendition prescribes. */
#include "worker/transcode/grid.h"

/* The last start that is not above the frame. */
static int64_t start_before(const struct grid *grid, int64_t frame)
{
    size_t low = 0, high = grid->len;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (grid->starts[middle] <= frame)
            low = middle;
        else
            high = middle;
    }
    return grid->starts[low];
}

enum cut grid_at(const struct grid *grid, int64_t frame)
{
    int64_t start =
        grid->len > 0 ? start_before(grid, frame) : frame - frame % grid->segment_frames;
    if (frame == start)
        return CUT_SEGMENT;
    return (frame - start) % grid->gop_frames == 0 ? CUT_FRAGMENT : CUT_NONE;
}

int64_t grid_start(const struct grid *grid, size_t segment)
{
    if (grid->len == 0)
        return (int64_t)segment * grid->segment_frames;
    return segment < grid->len ? grid->starts[segment] : INT64_MAX;
}
