/* Encode, decode at a fraction, and refuse what is broken. */
#include "worker/thumbnail/jpeg.h"

#include <turbojpeg.h>

#include "check.h"

enum { WIDTH = 640, HEIGHT = 480 };

static AVFrame *gradient(void)
{
    AVFrame *frame = libav_frame();
    frame->format = AV_PIX_FMT_YUVJ420P;
    frame->width = WIDTH;
    frame->height = HEIGHT;
    CHECK_INT(av_frame_get_buffer(frame, 0), 0);
    for (int i = 0; i < 3; i++)
        for (int y = 0; y < HEIGHT >> (i > 0); y++)
            for (int x = 0; x < WIDTH >> (i > 0); x++)
                frame->data[i][y * frame->linesize[i] + x] =
                    (uint8_t)(i ? 128 : (x * 7 + y * 3) & 255);
    return frame;
}

static size_t encode(uint8_t **bytes)
{
    CLEANUP(frame_free_at) AVFrame *frame = gradient();
    struct err err = {0};
    size_t len = 0;
    CHECK_INT(jpeg_encode(frame, 85, bytes, &len, &err), 0);
    return len;
}

static void decodes_at_the_smallest_sufficient_fraction(void)
{
    CLEANUP(jpeg_bytes_free) uint8_t *bytes = NULL;
    size_t len = encode(&bytes);
    static const int cases[][4] = {
        {80, 60, 80, 60}, {81, 60, 160, 120}, {300, 100, 320, 240}, {640, 480, 640, 480}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CLEANUP(frame_free_at) AVFrame *frame = NULL;
        struct err err = {0};
        CHECK_INT(jpeg_decode(bytes, len, cases[i][0], cases[i][1], &frame, &err), 0);
        CHECK_INT(frame->width, cases[i][2]);
        CHECK_INT(frame->height, cases[i][3]);
    }
}

static void truncated(void)
{
    CLEANUP(jpeg_bytes_free) uint8_t *bytes = NULL;
    size_t len = encode(&bytes);
    for (int part = 1; part < 10; part++) {
        AVFrame *frame = NULL;
        struct err err = {0};
        CHECK_INT(jpeg_decode(bytes, len * (size_t)part / 10, 80, 60, &frame, &err), -1);
        CHECK_INT(err.code, ERR_CORRUPT_IMAGE);
    }
}

static void cmyk(void)
{
    CLEANUP(frame_free_at) AVFrame *frame = NULL;
    struct err err = {0};
    static uint8_t pixels[64 * 64 * 4];
    memset(pixels, 255, sizeof pixels);
    unsigned char *bytes = NULL;
    unsigned long len = 0;
    tjhandle handle = tjInitCompress();
    CHECK_INT(tjCompress2(handle, pixels, 64, 0, 64, TJPF_CMYK, &bytes, &len, TJSAMP_444, 90, 0),
              0);
    CHECK_INT(jpeg_decode(bytes, len, 64, 64, &frame, &err), 0);
    CHECK_INT(frame->format, AV_PIX_FMT_RGB24);
    CHECK(frame->data[0][0] > 250);
    tjFree(bytes);
    tjDestroy(handle);
}

/* The last scan of a progressive file, over and over. */
static void too_many_scans(void)
{
    CLEANUP(jpeg_bytes_free) uint8_t *bytes = NULL;
    size_t len = encode(&bytes);
    unsigned char *progressive = NULL;
    unsigned long size = 0;
    tjtransform transform = {.options = TJXOPT_PROGRESSIVE};
    tjhandle handle = tjInitTransform();
    CHECK_INT(tjTransform(handle, bytes, len, 1, &progressive, &size, &transform, 0), 0);
    size_t scan = size - 2;
    while (progressive[scan] != 0xff || progressive[scan + 1] != 0xda)
        scan--;
    size_t scan_len = size - 2 - scan, total = scan + 600 * scan_len + 2;
    uint8_t *bomb = malloc(total);
    memcpy(bomb, progressive, scan);
    for (size_t i = 0; i < 600; i++)
        memcpy(bomb + scan + i * scan_len, progressive + scan, scan_len);
    memcpy(bomb + total - 2, "\xff\xd9", 2);
    AVFrame *frame = NULL;
    struct err err = {0};
    CHECK_INT(jpeg_decode(bomb, total, 80, 60, &frame, &err), -1);
    CHECK_STR(error_name(err.code), "too-many-scans");
    free(bomb);
    tjFree(progressive);
    tjDestroy(handle);
}

int main(void)
{
    RUN(decodes_at_the_smallest_sufficient_fraction);
    RUN(truncated);
    RUN(cmyk);
    RUN(too_many_scans);
    return 0;
}
