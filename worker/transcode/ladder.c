/* The ladder as a table; sizes keep the source's shape. */
#include "worker/transcode/ladder.h"

struct rung_row {
    int short_side;
    int64_t maxrate_bps, bufsize_bits;
    const char *profile;
};

/* 1.25 times the usual average for each size (1080p 4.5 Mb/s …), two seconds of buffer. */
static const struct rung_row rows[LADDER_MAX] = {
    {1080, 5600000, 9000000, "high"},
    {720, 3100000, 5000000, "high"},
    {480, 1500000, 2400000, "main"},
    {360, 875000, 1400000, "main"},
};

static int even(int64_t size)
{
    return size < 2 ? 2 : (int)(size & ~(int64_t)1);
}

/* To the nearest even number. */
static int scaled(int long_side, int short_side, int rung)
{
    return even(((int64_t)long_side * rung + short_side) / (2 * (int64_t)short_side) * 2);
}

static struct rung rung_of(const struct rung_row *row, int width, int height)
{
    return (struct rung){.width = width,
                         .height = height,
                         .maxrate_bps = row->maxrate_bps,
                         .bufsize_bits = row->bufsize_bits,
                         .profile = row->profile};
}

void ladder_build(int width, int height, struct ladder *out)
{
    int short_side = width < height ? width : height;
    *out = (struct ladder){0};
    for (int i = 0; i < LADDER_MAX; i++) {
        int size = rows[i].short_side;
        if (size > short_side)
            continue;
        out->at[out->len++] = width < height ? rung_of(&rows[i], size, scaled(height, width, size))
                                             : rung_of(&rows[i], scaled(width, height, size), size);
    }
    if (out->len == 0)
        out->at[out->len++] = rung_of(&rows[LADDER_MAX - 1], even(width), even(height));
}
