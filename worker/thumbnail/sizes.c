/* Scale down in a cascade with libswscale, turn the small picture, encode, write. */
#include "worker/thumbnail/sizes.h"

#include <errno.h>
#include <libswscale/swscale.h>

#include "worker/thumbnail/jpeg.h"

enum { QUALITY = 85, PLANES = 3 };

static AVFrame *new_picture(int width, int height)
{
    AVFrame *frame = libav_frame();
    frame->format = AV_PIX_FMT_YUVJ420P;
    frame->width = width;
    frame->height = height;
    frame->color_range = AVCOL_RANGE_JPEG;
    if (av_frame_get_buffer(frame, 0) < 0)
        abort();
    return frame;
}

static int scale(const AVFrame *from, int width, int height, AVFrame **out, struct err *err)
{
    AVFrame *to = new_picture(width, height);
    struct SwsContext *sws =
        sws_getContext(from->width, from->height, from->format, width, height, to->format,
                       SWS_AREA | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP, NULL, NULL, NULL);
    if (!sws) {
        av_frame_free(&to);
        return err_set(err, ERR_INTERNAL, "cannot scale %dx%d to %dx%d", from->width, from->height,
                       width, height);
    }
    const int *coefficients = sws_getCoefficients(SWS_CS_ITU601);
    int full = from->color_range == AVCOL_RANGE_JPEG;
    sws_setColorspaceDetails(sws, coefficients, full, coefficients, 1, 0, 1 << 16, 1 << 16);
    sws_scale(sws, (const uint8_t *const *)from->data, from->linesize, 0, from->height, to->data,
              to->linesize);
    sws_freeContext(sws);
    *out = to;
    return 0;
}

/* Where the sample that belongs at (x, y) of the upright plane lies in the stored plane, by EXIF's
 * numbering. */
static const uint8_t *stored(const uint8_t *plane, int stride, int width, int height,
                             int orientation, int x, int y)
{
    bool turned = picture_turned(orientation);
    int column = turned ? y : x, row = turned ? x : y;
    if (orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8)
        column = width - 1 - column;
    if (orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7)
        row = height - 1 - row;
    return plane + (ptrdiff_t)row * stride + column;
}

static AVFrame *upright(const AVFrame *from, int orientation)
{
    bool turned = picture_turned(orientation);
    AVFrame *to =
        new_picture(turned ? from->height : from->width, turned ? from->width : from->height);
    for (int i = 0; i < PLANES; i++) {
        int shift = i > 0;
        int width = (from->width + shift) >> shift, height = (from->height + shift) >> shift;
        for (int y = 0; y < (turned ? width : height); y++)
            for (int x = 0; x < (turned ? height : width); x++)
                to->data[i][(ptrdiff_t)y * to->linesize[i] + x] =
                    *stored(from->data[i], from->linesize[i], width, height, orientation, x, y);
    }
    return to;
}

static int write_file(const char *path, const uint8_t *bytes, size_t len, struct err *err)
{
    FILE *file = fopen(path, "wbe");
    if (!file)
        return err_errno(err, errno, "create a thumbnail");
    size_t written = fwrite(bytes, 1, len, file);
    if (fclose(file) != 0 || written != len)
        return err_errno(err, errno, "write a thumbnail");
    return 0;
}

static int write_one(const AVFrame *frame, int orientation, const char *path, int64_t *bytes,
                     struct err *err)
{
    CLEANUP(frame_free_at) AVFrame *turned = orientation > 1 ? upright(frame, orientation) : NULL;
    CLEANUP(jpeg_bytes_free) uint8_t *file = NULL;
    size_t len;
    if (jpeg_encode(turned ? turned : frame, QUALITY, &file, &len, err) < 0)
        return -1;
    *bytes += (int64_t)len;
    return write_file(path, file, len, err);
}

/* The frame's size for a box that is given upright. */
static void stored_size(const struct picture *picture, const struct thumbnail_size *size,
                        int *width, int *height)
{
    bool turned = picture_turned(picture->orientation);
    int wide, high;
    picture_fit(picture->width, picture->height, size->width, size->height, &wide, &high);
    *width = turned ? high : wide;
    *height = turned ? wide : high;
}

static void set_name(struct thumbnail_result *result, const char *size, const char *file)
{
    if (strcmp(size, "small") == 0)
        result->small = file;
    else if (strcmp(size, "medium") == 0)
        result->medium = file;
    else
        result->large = file;
}

int sizes_write(const struct picture *picture, const char *dir, struct arena *arena,
                struct thumbnail_result *out, int64_t *bytes, struct err *err)
{
    CLEANUP(frame_free_at) AVFrame *larger = NULL;
    struct thumbnail_result result = {.width = picture->width, .height = picture->height};
    int64_t sum = 0;
    for (size_t i = 0; i < thumbnail_sizes_len; i++) {
        AVFrame *scaled = NULL;
        int width, height;
        stored_size(picture, &thumbnail_sizes[i], &width, &height);
        if (scale(larger ? larger : picture->frame, width, height, &scaled, err) < 0)
            return -1;
        av_frame_free(&larger);
        larger = scaled;
        const char *name = arena_printf(arena, "%s.jpg", thumbnail_sizes[i].name);
        const char *path = arena_printf(arena, "%s/%s", dir, name);
        if (write_one(scaled, picture->orientation, path, &sum, err) < 0)
            return -1;
        set_name(&result, thumbnail_sizes[i].name, name);
    }
    *out = result;
    *bytes = sum;
    return 0;
}
