/* The ladder as a table; sizes keep the source's shape. */
#include "worker/transcode/ladder.h"

struct rung_row {
    int short_side;
    int64_t maxrate_bps, bufsize_bits;
};

/* 1.25 times the usual average for each size (1080p 4.5 Mb/s …), two seconds of buffer. */
static const struct rung_row rows[LADDER_MAX] = {
    {1080, 5600000, 9000000},
    {720, 3100000, 5000000},
    {480, 1500000, 2400000},
    {360, 875000, 1400000},
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
                         .bufsize_bits = row->bufsize_bits};
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

static int short_side(const struct rung *rung)
{
    return rung->width < rung->height ? rung->width : rung->height;
}

/* The nearest one that is half as large again: each scaling costs sharpness, most of all a small
 * step (480 to 360), while the large step from 1080 to 360 costs time. */
int ladder_scaled_from(const struct ladder *ladder, int first, int index)
{
    int from = index - 1;
    while (from >= first && short_side(&ladder->at[from]) * 2 < short_side(&ladder->at[index]) * 3)
        from--;
    return from >= first ? from : -1;
}

/* By the rung's share of the pixels, rather one too few than one too many: every rung has a thread
 * already, and each one more holds frames of its own in memory. */
int ladder_threads(const struct ladder *ladder, int first, int index, int cores)
{
    int64_t all = 0;
    for (int i = first; i < ladder->len; i++)
        all += (int64_t)ladder->at[i].width * ladder->at[i].height;
    int64_t own = (int64_t)ladder->at[index].width * ladder->at[index].height;
    int64_t nearest = all > 0 ? (own * cores + all / 2) / all : 1;
    return nearest > 1 ? (int)nearest : 1;
}
