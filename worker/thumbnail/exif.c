/* A TIFF directory walk of one level: only the first directory, only one tag, every offset checked.
 */
#include "worker/thumbnail/exif.h"

#include <stdbool.h>
#include <string.h>

enum {
    HEADER = 6,
    ENTRY = 12,
    TAG_ORIENTATION = 0x0112,
    TYPE_SHORT = 3,
    UPRIGHT = 1,
    ORIENTATION_MAX = 8
};

struct tiff {
    const uint8_t *at;
    size_t len;
    bool little;
};

/* 0 beyond the end. */
static uint32_t number(const struct tiff *tiff, size_t offset, size_t bytes)
{
    uint32_t value = 0;
    if (offset > tiff->len || bytes > tiff->len - offset)
        return 0;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | tiff->at[offset + (tiff->little ? bytes - 1 - i : i)];
    return value;
}

static int find(const struct tiff *tiff, size_t directory)
{
    uint32_t entries = number(tiff, directory, 2);
    for (uint32_t i = 0; i < entries; i++) {
        size_t entry = directory + 2 + (size_t)i * ENTRY;
        if (entry >= tiff->len)
            break;
        if (number(tiff, entry, 2) != TAG_ORIENTATION || number(tiff, entry + 2, 2) != TYPE_SHORT)
            continue;
        uint32_t value = number(tiff, entry + 8, 2);
        return value >= UPRIGHT && value <= ORIENTATION_MAX ? (int)value : UPRIGHT;
    }
    return UPRIGHT;
}

int exif_orientation(const uint8_t *bytes, size_t len)
{
    if (len < HEADER + 8 || memcmp(bytes, "Exif\0\0", HEADER) != 0)
        return UPRIGHT;
    struct tiff tiff = {.at = bytes + HEADER, .len = len - HEADER};
    if (memcmp(tiff.at, "II*\0", 4) == 0)
        tiff.little = true;
    else if (memcmp(tiff.at, "MM\0*", 4) != 0)
        return UPRIGHT;
    return find(&tiff, number(&tiff, 4, 4));
}
