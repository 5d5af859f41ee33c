/* What streams say of themselves; the avcC boxes are x264's. */
#include "worker/transcode/h264.h"

#include "check.h"

struct box {
    uint8_t at[128];
    size_t len;
};

static struct box box(const char *hex)
{
    struct box box = {0};
    for (unsigned byte; sscanf(hex + 2 * box.len, "%2x", &byte) == 1;)
        box.at[box.len++] = (uint8_t)byte;
    return box;
}

static const char high[] =
    "0164002affe100196764002aacb403c0113f2e0220000003002000000641e3065401000468ee0fcbfdf8f800";

static struct h264_sps read(const char *hex)
{
    struct h264_sps sps = {0};
    struct box avcc = box(hex);
    CHECK(h264_read_avcc(avcc.at, avcc.len, &sps));
    return sps;
}

static void sets(void)
{
    struct h264_sps sps = read(high);
    CHECK_INT(sps.profile, 100);
    CHECK_INT(sps.level, 42);
    CHECK_INT(sps.width, 1920);
    CHECK_INT(sps.height, 1080); /* cropped from 1088 */
    CHECK(sps.chroma == 1 && sps.eight_bits && sps.progressive);
    sps = read("0142c00dffe100166742c00dda0507ec0440000003004000000c83c50aa801000468ce0fc8");
    CHECK_INT(sps.profile, 66);
    CHECK(sps.constrained && sps.progressive);
    CHECK_INT(sps.width, 320);
    sps = read("0142c01effe100196742c01eda0360f79bc044000003000400000300c83c58ba8001000468ce0fc8");
    CHECK_INT(sps.width, 854);
    CHECK_INT(sps.height, 480);
    /* With scaling matrices. */
    sps = read("0164001effe100196764001eacb405017fcb80880000030008000003019078b17501000568ce0fc40cf"
               "df8f800");
    CHECK_INT(sps.width, 640);
    CHECK_INT(sps.height, 360);
}

static void unusual(void)
{
    struct h264_sps sps = read(
        "016e000dffe10018676e000da6cb40a0fd80880000030008000003019078a15501000468ce0fc8fdfafa00");
    CHECK_INT(sps.profile, 110);
    CHECK(!sps.eight_bits && sps.chroma == 1);
    sps = read(
        "017a000dffe10017677a000dbcb40a0fd808800000030080000019078a155001000468ce0fc8fef8f800");
    CHECK(sps.eight_bits && sps.chroma == 2);
    CHECK_INT(sps.height, 240);
    sps = read("014d401effe10018674d401ef405a126c044000003000400000300c87c50aa8001000468de0fc8");
    CHECK(!sps.progressive);
    CHECK_INT(sps.height, 576);
}

/* No prefix is taken for a whole box, and nothing beyond it is read (the sanitizer's part). */
static void cut_off(void)
{
    struct box whole = box(high);
    struct h264_sps sps;
    for (size_t len = 0; len < whole.len - 4; len++) {
        uint8_t *copy = malloc(len + 1);
        memcpy(copy, whole.at, len);
        CHECK(!h264_read_avcc(copy, len, &sps));
        free(copy);
    }
    whole.at[4] = 0xfd; /* lengths of two bytes */
    CHECK(!h264_read_avcc(whole.at, whole.len, &sps));
}

static enum h264_picture picture(const char *hex)
{
    struct box avcc = box(high), sample = box(hex);
    return h264_picture(sample.at, sample.len, avcc.at, avcc.len);
}

static void pictures(void)
{
    CHECK_INT(picture("000000026588"), H264_IDR);
    CHECK_INT(picture("000000024188"), H264_OTHER);
    CHECK_INT(picture("00000003060501"
                      "00000002658800000002"
                      "6580"),
              H264_IDR);
    CHECK_INT(picture("000000026588"
                      "000000024188"),
              H264_BROKEN);
    CHECK_INT(picture("0000000206ff"), H264_BROKEN); /* no picture */
    CHECK_INT(picture(""), H264_BROKEN);
    CHECK_INT(picture("000000036588"), H264_BROKEN);
    CHECK_INT(picture("00000002658800"), H264_BROKEN);
    CHECK_INT(picture("00000000"), H264_BROKEN);
    CHECK_INT(picture("000000024288"), H264_BROKEN); /* data partitioning */
    CHECK_INT(picture("0000000168"), H264_NEW);
    CHECK_INT(picture("0000000468ee0fcb"
                      "000000026588"),
              H264_IDR); /* known */
    CHECK_INT(picture("0000000468ee0fcc"
                      "000000026588"),
              H264_NEW);
}

int main(void)
{
    RUN(sets);
    RUN(unusual);
    RUN(cut_off);
    RUN(pictures);
    return 0;
}
