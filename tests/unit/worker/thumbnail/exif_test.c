/* Orientation out of good and hostile EXIF blocks. */
#include "worker/thumbnail/exif.h"

#include "check.h"

static const uint8_t little[] = {'E',  'x', 'i', 'f', 0, 0, 'I', 'I', '*', 0, 8, 0,
                                 0,    0,   2,   0, /* two entries */
                                 0x0f, 1,   2,   0,   1, 0, 0,   0,   0,   0, 0, 0, /* Make */
                                 0x12, 1,   3,   0,   1, 0, 0,   0,   6,   0, 0, 0};
static const uint8_t big[] = {'E', 'x', 'i', 'f',  0, 0, 'M', 'M', 0, '*', 0, 0, 0, 8,
                              0,   1,   1,   0x12, 0, 3, 0,   0,   0, 1,   0, 8, 0, 0};

static int with(size_t at, uint8_t value)
{
    uint8_t copy[sizeof little];
    memcpy(copy, little, sizeof little);
    copy[at] = value;
    return exif_orientation(copy, sizeof copy);
}

static void both_byte_orders(void)
{
    CHECK_INT(exif_orientation(little, sizeof little), 6);
    CHECK_INT(exif_orientation(big, sizeof big), 8);
}

static void out_of_range_is_upright(void)
{
    CHECK_INT(with(36, 0), 1);
    CHECK_INT(with(36, 9), 1);
    CHECK_INT(with(37, 255), 1);
    CHECK_INT(with(30, 4), 1); /* another type */
}

static void offsets_beyond_the_end(void)
{
    CHECK_INT(with(10, 255), 1);
    CHECK_INT(with(13, 255), 1);
    CHECK_INT(with(14, 255), 6); /* more entries than there are */
    CHECK_INT(with(6, 'X'), 1);
    CHECK_INT(with(0, 'X'), 1);
}

/* Copies of exact length, so that a sanitizer sees every byte read beyond. */
static void cut_anywhere(void)
{
    for (size_t len = 0; len < sizeof little; len++) {
        uint8_t *copy = malloc(len + 1);
        memcpy(copy, little, len);
        int orientation = exif_orientation(copy, len);
        CHECK(orientation == 1 || (orientation == 6 && len > 37));
        free(copy);
    }
}

int main(void)
{
    RUN(both_byte_orders);
    RUN(out_of_range_is_upright);
    RUN(offsets_beyond_the_end);
    RUN(cut_anywhere);
    return 0;
}
