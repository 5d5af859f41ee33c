/* Three files of the right size, upright. */
#include "worker/thumbnail/sizes.h"

#include <sys/stat.h>

#include "check.h"
#include "worker/thumbnail/jpeg.h"

/* Stored landscape, its left half white. */
static AVFrame *half_white(void)
{
    AVFrame *frame = libav_frame();
    frame->format = AV_PIX_FMT_YUVJ420P;
    frame->width = 400;
    frame->height = 200;
    frame->color_range = AVCOL_RANGE_JPEG;
    CHECK_INT(av_frame_get_buffer(frame, 0), 0);
    for (int i = 0; i < 3; i++)
        for (int y = 0; y < 200 >> (i > 0); y++)
            for (int x = 0; x < 400 >> (i > 0); x++)
                frame->data[i][y * frame->linesize[i] + x] = i ? 128 : x < 200 ? 255 : 0;
    return frame;
}

static AVFrame *read_back(const char *dir, const char *name)
{
    char path[4096];
    static uint8_t bytes[1 << 16];
    struct err err = {0};
    AVFrame *frame = NULL;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "rb");
    CHECK(file);
    size_t len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    unlink(path);
    CHECK_INT(jpeg_decode(bytes, len, 10000, 10000, &frame, &err), 0);
    return frame;
}

/* What is white in the upright picture: 'l'eft, 'r'ight, 't'op, 'b'ottom. */
static void check(int orientation, char white)
{
    char dir[] = "/tmp/sizes_test.XXXXXX";
    CHECK(mkdtemp(dir));
    bool turned = picture_turned(orientation);
    struct picture picture = {.frame = half_white(),
                              .orientation = orientation,
                              .width = turned ? 200 : 400,
                              .height = turned ? 400 : 200};
    struct arena arena = {0};
    struct thumbnail_result result;
    struct err err = {0};
    int64_t bytes;
    CHECK_INT(sizes_write(&picture, dir, &arena, &result, &bytes, &err), 0);
    AVFrame *large = read_back(dir, result.large), *medium = read_back(dir, result.medium),
            *small = read_back(dir, result.small);
    CHECK_INT(large->width, turned ? 200 : 400);
    CHECK_INT(medium->height, turned ? 300 : 150);
    CHECK_INT(small->width, turned ? 75 : 150);
    int x = white == 'l' ? 8 : white == 'r' ? small->width - 8 : small->width / 2;
    int y = white == 't' ? 8 : white == 'b' ? small->height - 8 : small->height / 2;
    CHECK(small->data[0][y * small->linesize[0] + x] > 240);
    CHECK(small->data[0][(small->height - 1 - y) * small->linesize[0] + small->width - 1 - x] < 15);
    av_frame_free(&large);
    av_frame_free(&medium);
    av_frame_free(&small);
    picture_release(&picture);
    arena_release(&arena);
    rmdir(dir);
}

static void every_orientation(void)
{
    static const char white[] = "?lrrlttbb"; /* 5 and 6: the left edge is up; 7 and 8: down */
    for (int orientation = 1; orientation <= 8; orientation++)
        check(orientation, white[orientation]);
}

static void fits(void)
{
    int width, height;
    picture_fit(4000, 3000, 800, 600, &width, &height);
    CHECK_INT(width * 10000 + height, 8000600);
    picture_fit(100, 50, 800, 600, &width, &height);
    CHECK_INT(width * 10000 + height, 1000050);
    picture_fit(60000, 10, 150, 150, &width, &height);
    CHECK_INT(width * 10000 + height, 1500001);
}

int main(void)
{
    libav_open();
    RUN(fits);
    RUN(every_orientation);
    return 0;
}
