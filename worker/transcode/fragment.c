/* A bounded walk through boxes: moof / traf / {tfhd, trun}, then mdat. */
#include "worker/transcode/fragment.h"

#include <stdbool.h>
#include <string.h>

enum {
    BOX_HEADER = 8,
    TFHD_BASE_OFFSET = 0x1,
    TFHD_DESCRIPTION = 0x2,
    TFHD_DURATION = 0x8,
    TFHD_SIZE = 0x10,
    TRUN_OFFSET = 0x1,
    TRUN_FIRST_FLAGS = 0x4,
    TRUN_DURATION = 0x100,
    TRUN_SIZE = 0x200,
};

struct view {
    const uint8_t *at;
    size_t len;
};

static uint32_t number(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* The contents of the first box of that type, empty if there is none. */
static struct view box(struct view in, const char *type)
{
    while (in.len >= BOX_HEADER) {
        size_t size = number(in.at);
        if (size < BOX_HEADER || size > in.len)
            break;
        if (memcmp(in.at + 4, type, 4) == 0)
            return (struct view){in.at + BOX_HEADER, size - BOX_HEADER};
        in.at += size;
        in.len -= size;
    }
    return (struct view){0};
}

static bool word(struct view in, size_t offset, uint32_t *out)
{
    if (in.len < offset + 4)
        return false;
    *out = number(in.at + offset);
    return true;
}

/* The size of the first sample: in trun, else tfhd's default. */
static bool first_size(struct view traf, uint32_t *out)
{
    struct view tfhd = box(traf, "tfhd"), trun = box(traf, "trun");
    uint32_t flags;
    if (!word(trun, 0, &flags))
        return false;
    if (flags & TRUN_SIZE) {
        size_t at = 8;
        at += flags & TRUN_OFFSET ? 4 : 0;
        at += flags & TRUN_FIRST_FLAGS ? 4 : 0;
        at += flags & TRUN_DURATION ? 4 : 0;
        return word(trun, at, out);
    }
    if (!word(tfhd, 0, &flags) || !(flags & TFHD_SIZE))
        return false;
    size_t at = 8;
    at += flags & TFHD_BASE_OFFSET ? 8 : 0;
    at += flags & TFHD_DESCRIPTION ? 4 : 0;
    at += flags & TFHD_DURATION ? 4 : 0;
    return word(tfhd, at, out);
}

int fragment_first_sample(const uint8_t *bytes, size_t len, struct fragment_range *out,
                          struct err *err)
{
    struct view whole = {bytes, len}, moof = box(whole, "moof"), mdat = box(whole, "mdat");
    uint32_t size;
    if (!moof.at || !mdat.at || !first_size(box(moof, "traf"), &size) || size > mdat.len)
        return err_set(err, ERR_INTERNAL, "the muxer wrote a fragment that is not understood");
    out->start = (size_t)(moof.at - bytes) - BOX_HEADER;
    out->end = (size_t)(mdat.at - bytes) + size;
    return 0;
}
