/* Bits of a sequence parameter set (ITU-T H.264, 7.3.2.1.1) and the walk through a sample's NAL
 * units. */
#include "worker/transcode/h264.h"

#include <string.h>

enum { NAL_SLICE = 1, NAL_PARTITION_A = 2, NAL_PARTITION_C = 4, NAL_IDR = 5, NAL_SPS = 7, NAL_PPS };
enum { AVCC_HEAD = 6, SPS_MAX = 1024, SIDE_MBS_MAX = 1024 };

struct bits {
    const uint8_t *at;
    size_t len, read; /* in bits */
    bool failed;
};

static uint32_t take(struct bits *bits, int count)
{
    uint32_t value = 0;
    for (; count > 0; count--) {
        if (bits->read >= bits->len) {
            bits->failed = true;
            return 0;
        }
        value = value << 1 | (bits->at[bits->read / 8] >> (7 - bits->read % 8) & 1);
        bits->read++;
    }
    return value;
}

/* ue(v). */
static uint32_t golomb(struct bits *bits)
{
    int zeros = 0;
    while (!bits->failed && take(bits, 1) == 0)
        if (++zeros > 31)
            bits->failed = true;
    return bits->failed ? 0 : (UINT32_C(1) << zeros) - 1 + take(bits, zeros);
}

/* se(v), whose value nobody asks for but its own size. */
static int32_t golomb_signed(struct bits *bits)
{
    uint32_t code = golomb(bits);
    return code % 2 ? (int32_t)(code / 2 + 1) : -(int32_t)(code / 2);
}

static void skip_scaling_list(struct bits *bits, int size)
{
    int32_t last = 8, next = 8;
    for (int i = 0; i < size && !bits->failed; i++) {
        if (next != 0)
            next = (last + golomb_signed(bits) % 256 + 256) % 256;
        last = next == 0 ? last : next;
    }
}

static bool is_high(int profile)
{
    static const int profiles[] = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135};
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++)
        if (profile == profiles[i])
            return true;
    return false;
}

static void read_high(struct bits *bits, struct h264_sps *sps)
{
    sps->chroma = (int)golomb(bits);
    if (sps->chroma == 3)
        take(bits, 1);
    uint32_t luma = golomb(bits), chroma = golomb(bits);
    sps->eight_bits = luma == 0 && chroma == 0;
    take(bits, 1); /* lossless */
    if (!take(bits, 1))
        return;
    for (int i = 0; i < (sps->chroma == 3 ? 12 : 8); i++)
        if (take(bits, 1))
            skip_scaling_list(bits, i < 6 ? 16 : 64);
}

static void skip_order(struct bits *bits)
{
    uint32_t type = golomb(bits);
    if (type == 0)
        golomb(bits);
    if (type != 1)
        return;
    take(bits, 1);
    golomb_signed(bits);
    golomb_signed(bits);
    for (uint32_t i = golomb(bits); i > 0 && !bits->failed; i--)
        golomb_signed(bits);
}

static void read_size(struct bits *bits, struct h264_sps *sps)
{
    uint32_t wide = golomb(bits) + 1, high = golomb(bits) + 1, crop[4] = {0};
    sps->progressive = take(bits, 1);
    if (!sps->progressive)
        take(bits, 1);
    take(bits, 1); /* direct_8x8_inference */
    for (int i = take(bits, 1) ? 0 : 4; i < 4; i++)
        crop[i] = golomb(bits);
    int64_t unit = sps->chroma == 1 ? 2 : 1;
    sps->width = 16 * (int64_t)wide - unit * ((int64_t)crop[0] + crop[1]);
    sps->height = (sps->progressive ? 16 : 32) * (int64_t)high -
                  unit * (sps->progressive ? 1 : 2) * ((int64_t)crop[2] + crop[3]);
    bits->failed |=
        wide > SIDE_MBS_MAX || high > SIDE_MBS_MAX || sps->width <= 0 || sps->height <= 0;
}

/* The set's bytes without those that only keep start codes out. */
static size_t unescape(const uint8_t *from, size_t len, uint8_t *to)
{
    size_t out = 0, zeros = 0;
    for (size_t i = 0; i < len; i++) {
        if (zeros >= 2 && from[i] == 3) {
            zeros = 0;
            continue;
        }
        zeros = from[i] == 0 ? zeros + 1 : 0;
        to[out++] = from[i];
    }
    return out;
}

static bool read_sps(const uint8_t *nal, size_t len, struct h264_sps *out)
{
    uint8_t plain[SPS_MAX];
    if (len < 5 || len > sizeof plain || (nal[0] & 31) != NAL_SPS)
        return false;
    struct bits bits = {.at = plain, .len = 8 * unescape(nal, len, plain), .read = 8};
    struct h264_sps sps = {.profile = (int)take(&bits, 8), .chroma = 1, .eight_bits = true};
    sps.constrained = take(&bits, 8) & 0x40;
    sps.level = (int)take(&bits, 8);
    golomb(&bits); /* its number */
    if (is_high(sps.profile))
        read_high(&bits, &sps);
    golomb(&bits); /* log2_max_frame_num */
    skip_order(&bits);
    golomb(&bits); /* max_num_ref_frames */
    take(&bits, 1);
    read_size(&bits, &sps);
    if (bits.failed)
        return false;
    *out = sps;
    return true;
}

static size_t number(const uint8_t *at, int bytes)
{
    size_t value = 0;
    for (int i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return value;
}

/* The next parameter set of an avcC box; NULL at the end or where it is cut off. */
static const uint8_t *next_set(const uint8_t *avcc, size_t avcc_len, size_t *at, size_t *len)
{
    if (*at == AVCC_HEAD + 2 + number(avcc + AVCC_HEAD, 2))
        (*at)++; /* the number of picture parameter sets stands after the only sequence's */
    if (*at + 2 > avcc_len)
        return NULL;
    *len = number(avcc + *at, 2);
    if (*len == 0 || *at + 2 + *len > avcc_len)
        return NULL;
    const uint8_t *set = avcc + *at + 2;
    *at += 2 + *len;
    return set;
}

bool h264_read_avcc(const uint8_t *avcc, size_t len, struct h264_sps *out)
{
    size_t at = AVCC_HEAD, set_len;
    bool usual = len > AVCC_HEAD + 2 && avcc[0] == 1 && (avcc[4] & 3) == 3 && (avcc[5] & 31) == 1;
    const uint8_t *sps = usual ? next_set(avcc, len, &at, &set_len) : NULL;
    if (!sps || at >= len || (avcc[at] & 31) == 0 || !read_sps(sps, set_len, out))
        return false;
    const uint8_t *pps = next_set(avcc, len, &at, &set_len);
    return pps && (pps[0] & 31) == NAL_PPS;
}

static bool is_known(const uint8_t *nal, size_t len, const uint8_t *avcc, size_t avcc_len)
{
    size_t at = AVCC_HEAD, set_len;
    for (const uint8_t *set; (set = next_set(avcc, avcc_len, &at, &set_len));)
        if (set_len == len && memcmp(set, nal, len) == 0)
            return true;
    return false;
}

enum h264_picture h264_picture(const uint8_t *sample, size_t len, const uint8_t *avcc,
                               size_t avcc_len)
{
    bool idr = false, other = false;
    for (size_t at = 0, size; at < len; at += 4 + size) {
        if (len - at < 5 || (size = number(sample + at, 4)) == 0 || size > len - at - 4)
            return H264_BROKEN;
        const uint8_t *nal = sample + at + 4;
        int type = nal[0] & 31;
        if (nal[0] & 0x80 || (type >= NAL_PARTITION_A && type <= NAL_PARTITION_C))
            return H264_BROKEN;
        if ((type == NAL_SPS || type == NAL_PPS) && !is_known(nal, size, avcc, avcc_len))
            return H264_NEW;
        idr |= type == NAL_IDR;
        other |= type == NAL_SLICE;
    }
    if (idr == other)
        return H264_BROKEN;
    return idr ? H264_IDR : H264_OTHER;
}
