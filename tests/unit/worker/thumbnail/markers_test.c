/* Heads of JPEG files, and of files that only claim to be one. */
#include "worker/thumbnail/markers.h"

#include "check.h"

static const uint8_t head[] = {0xff, 0xd8, 0xff, 0xe0, 0,    4,    'J',  'F', 0xff, 0xff, 0xc0,
                               0,    11,   8,    0x02, 0x58, 0x03, 0x20, 1,   1,    0x11, 0};
enum { PROCESS = 10, BITS = 13, HEIGHT = 14, WIDTH = 16 };

static enum error read_with(size_t at, uint8_t value, size_t at2, uint8_t value2)
{
    uint8_t copy[sizeof head];
    struct markers markers;
    struct err err = {0};
    memcpy(copy, head, sizeof head);
    copy[at] = value;
    copy[at2] = value2;
    CHECK_INT(markers_read(copy, sizeof copy, &markers, &err), err.code ? -1 : 0);
    return err.code;
}

static void size(void)
{
    struct markers markers;
    struct err err = {0};
    CHECK_INT(markers_read(head, sizeof head, &markers, &err), 0);
    CHECK_INT(markers.width, 800);
    CHECK_INT(markers.height, 600);
    CHECK_INT(markers.orientation, 1);
}

static void too_large(void)
{
    CHECK_INT(read_with(HEIGHT, 0xff, WIDTH, 0xff), ERR_DIMENSIONS_TOO_LARGE); /* 65,368 x 65,312 */
    CHECK_INT(read_with(HEIGHT, 0xff, HEIGHT + 1, 0xff), ERR_DIMENSIONS_TOO_LARGE);
    CHECK_INT(read_with(WIDTH, 0, WIDTH + 1, 0), ERR_CORRUPT_IMAGE);
}

static void other_processes(void)
{
    CHECK_INT(read_with(PROCESS, 0xc2, BITS, 8), ERR_NONE);
    CHECK_INT(read_with(PROCESS, 0xc3, BITS, 8), ERR_UNSUPPORTED_IMAGE);
    CHECK_INT(read_with(PROCESS, 0xc9, BITS, 8), ERR_UNSUPPORTED_IMAGE);
    CHECK_INT(read_with(PROCESS, 0xc1, BITS, 12), ERR_UNSUPPORTED_IMAGE);
}

static void the_real_type_is_told(void)
{
    struct markers markers;
    struct err err = {0};
    CHECK_INT(markers_read((const uint8_t *)"\x89PNG\r\n\x1a\n", 8, &markers, &err), -1);
    CHECK_INT(err.code, ERR_UNSUPPORTED_IMAGE);
    CHECK(strstr(err.detail, "a PNG"));
    CHECK_INT(markers_read((const uint8_t *)"RIFF\0\0\0\0WEBPVP8 ", 16, &markers, &err), -1);
    CHECK(strstr(err.detail, "a WebP"));
    CHECK_INT(markers_read((const uint8_t *)"", 0, &markers, &err), -1);
}

/* A decoder sees no length behind these, and so another picture in what would be skipped. */
static void markers_without_a_length(void)
{
    enum { MARKER = 3 };
    static const uint8_t known[] = {0xc4, 0xcc, 0xdb, 0xdc, 0xdd, 0xe1, 0xef, 0xfe};
    for (size_t i = 0; i < sizeof known; i++)
        CHECK_INT(read_with(MARKER, known[i], MARKER, known[i]), ERR_NONE);
    static const uint8_t bad[] = {0x00, 0x01, 0x02, 0xbf, 0xc8, 0xd0, 0xd7, 0xd8, 0xd9, 0xde, 0xf0};
    for (size_t i = 0; i < sizeof bad; i++)
        CHECK_INT(read_with(MARKER, bad[i], MARKER, bad[i]), ERR_CORRUPT_IMAGE);
}

static void cut_anywhere(void)
{
    for (size_t len = 2; len + 3 < sizeof head; len++) {
        struct markers markers;
        struct err err = {0};
        uint8_t *copy = malloc(len);
        memcpy(copy, head, len);
        CHECK_INT(markers_read(copy, len, &markers, &err), -1);
        CHECK_INT(err.code, len < 4 ? ERR_UNSUPPORTED_IMAGE : ERR_CORRUPT_IMAGE);
        free(copy);
    }
}

int main(void)
{
    RUN(size);
    RUN(too_large);
    RUN(other_processes);
    RUN(the_real_type_is_told);
    RUN(markers_without_a_length);
    RUN(cut_anywhere);
    return 0;
}
