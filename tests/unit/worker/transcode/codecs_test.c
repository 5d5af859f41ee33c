/* Codecs strings from what encoders write. */
#include "worker/transcode/codecs.h"

#include "check.h"

static const uint8_t annex_b[] = {0, 0, 0, 1, 0x67, 0x64, 0x00, 0x28, 0xac, 0, 0, 1, 0x68, 0xee};
static const uint8_t avcc[] = {1, 0x4d, 0x40, 0x1e, 0xff, 0xe1};

static void h264(void)
{
    char out[CODECS_MAX];
    struct err err = {0};
    CHECK_INT(codecs_h264(annex_b, sizeof annex_b, out, &err), 0);
    CHECK_STR(out, "avc1.640028");
    CHECK_INT(codecs_h264(avcc, sizeof avcc, out, &err), 0);
    CHECK_STR(out, "avc1.4d401e");
}

static void nothing_is_guessed(void)
{
    char out[CODECS_MAX] = "untouched";
    struct err err = {0};
    for (size_t len = 0; len < 7; len++)
        CHECK_INT(codecs_h264(annex_b, len, out, &err), -1);
    CHECK_INT(codecs_aac(annex_b, 0, out, &err), -1);
    CHECK_STR(out, "untouched");
}

static void aac(void)
{
    char out[CODECS_MAX];
    struct err err = {0};
    const uint8_t lc[] = {0x11, 0x90}, escaped[] = {0xf8, 0x60};
    CHECK_INT(codecs_aac(lc, 2, out, &err), 0);
    CHECK_STR(out, "mp4a.40.2");
    CHECK_INT(codecs_aac(escaped, 2, out, &err), 0);
    CHECK_STR(out, "mp4a.40.35");
}

int main(void)
{
    RUN(h264);
    RUN(nothing_is_guessed);
    RUN(aac);
    return 0;
}
