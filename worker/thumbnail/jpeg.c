/* TurboJPEG 2.1: planes are decoded without colour conversion, scaled in the frequency domain. */
#include "worker/thumbnail/jpeg.h"

#include <stdbool.h>
#include <string.h>
#include <turbojpeg.h>

/* Other factors than these have no SIMD code and can be slower than the next larger one (facts:
 * media 6). */
static const tjscalingfactor factors[] = {{1, 8}, {1, 4}, {1, 2}, {1, 1}};

struct header {
    int width, height, subsampling, colours;
};

static void destroy_at(tjhandle *handle)
{
    if (*handle)
        tjDestroy(*handle);
}

void jpeg_bytes_free(uint8_t **bytes)
{
    tjFree(*bytes);
    *bytes = NULL;
}

static int explain(tjhandle handle, struct err *err)
{
    const char *words = tjGetErrorStr2(handle);
    if (strstr(words, "scans"))
        return err_set(err, ERR_TOO_MANY_SCANS, "%s", words);
    if (strstr(words, "nsupported") || strstr(words, "not implemented"))
        return err_set(err, ERR_UNSUPPORTED_IMAGE, "%s", words);
    return err_set(err, ERR_CORRUPT_IMAGE, "%s", words);
}

/* Warnings about stray bytes are common in real photos; missing data is not acceptable. */
static int judge(tjhandle handle, int result, struct err *err)
{
    if (result == 0)
        return 0;
    bool harmless =
        tjGetErrorCode(handle) == TJERR_WARNING && !strstr(tjGetErrorStr2(handle), "remature end");
    return harmless ? 0 : explain(handle, err);
}

static tjscalingfactor choose(const struct header *header, int min_width, int min_height)
{
    for (size_t i = 0; i < sizeof factors / sizeof factors[0] - 1; i++)
        if (TJSCALED(header->width, factors[i]) >= min_width &&
            TJSCALED(header->height, factors[i]) >= min_height)
            return factors[i];
    return factors[sizeof factors / sizeof factors[0] - 1];
}

static int format_of(const struct header *header)
{
    static const int planar[TJ_NUMSAMP] = {
        [TJSAMP_444] = AV_PIX_FMT_YUVJ444P, [TJSAMP_422] = AV_PIX_FMT_YUVJ422P,
        [TJSAMP_420] = AV_PIX_FMT_YUVJ420P, [TJSAMP_GRAY] = AV_PIX_FMT_GRAY8,
        [TJSAMP_440] = AV_PIX_FMT_YUVJ440P, [TJSAMP_411] = AV_PIX_FMT_YUVJ411P};
    bool has_planes = header->colours == TJCS_YCbCr || header->colours == TJCS_GRAY;
    return has_planes ? planar[header->subsampling] : AV_PIX_FMT_RGB24;
}

/* Each plane with room for whole blocks beyond the picture: TurboJPEG's planes are padded to the
 * chroma grid. */
static AVFrame *new_frame(int format, int width, int height)
{
    AVFrame *frame = libav_frame();
    frame->format = format;
    frame->width = width;
    frame->height = height;
    frame->color_range = AVCOL_RANGE_JPEG;
    if (av_frame_get_buffer(frame, 0) < 0)
        abort();
    return frame;
}

/* Adobe's CMYK files keep inverted values, which is why black is a factor here. */
static void cmyk_to_rgb(const uint8_t *from, uint8_t *to, int width)
{
    for (int x = 0; x < width; x++, from += 4, to += 3)
        for (int c = 0; c < 3; c++)
            to[c] = (uint8_t)(from[c] * from[3] / 255);
}

static int decode_cmyk(tjhandle handle, const uint8_t *bytes, size_t len, AVFrame *frame,
                       struct err *err)
{
    size_t row = (size_t)frame->width * 4;
    CLEANUP(free_at) uint8_t *cmyk = malloc(row * (size_t)frame->height);
    if (!cmyk)
        abort();
    int result = tjDecompress2(handle, bytes, len, cmyk, frame->width, (int)row, frame->height,
                               TJPF_CMYK, TJFLAG_LIMITSCANS);
    if (judge(handle, result, err) < 0)
        return -1;
    for (int y = 0; y < frame->height; y++)
        cmyk_to_rgb(cmyk + (size_t)y * row, frame->data[0] + (ptrdiff_t)y * frame->linesize[0],
                    frame->width);
    return 0;
}

static int decode(tjhandle handle, const uint8_t *bytes, size_t len, const struct header *header,
                  AVFrame *frame, struct err *err)
{
    if (header->colours == TJCS_CMYK || header->colours == TJCS_YCCK)
        return decode_cmyk(handle, bytes, len, frame, err);
    int result = frame->format == AV_PIX_FMT_RGB24
                     ? tjDecompress2(handle, bytes, len, frame->data[0], frame->width,
                                     frame->linesize[0], frame->height, TJPF_RGB, TJFLAG_LIMITSCANS)
                     : tjDecompressToYUVPlanes(handle, bytes, len, frame->data, frame->width,
                                               frame->linesize, frame->height, TJFLAG_LIMITSCANS);
    return judge(handle, result, err);
}

int jpeg_decode(const uint8_t *bytes, size_t len, int min_width, int min_height, AVFrame **out,
                struct err *err)
{
    CLEANUP(destroy_at) tjhandle handle = tjInitDecompress();
    struct header header = {.subsampling = -1};
    if (!handle)
        abort();
    int result = tjDecompressHeader3(handle, bytes, len, &header.width, &header.height,
                                     &header.subsampling, &header.colours);
    if (judge(handle, result, err) < 0)
        return -1;
    if (header.width < 1 || header.height < 1) /* a warning left it unread */
        return err_set(err, ERR_CORRUPT_IMAGE, "%s", tjGetErrorStr2(handle));
    if (header.subsampling < 0 || header.subsampling >= TJ_NUMSAMP)
        return err_set(err, ERR_UNSUPPORTED_IMAGE, "an unusual chroma subsampling");
    tjscalingfactor factor = choose(&header, min_width, min_height);
    CLEANUP(frame_free_at)
    AVFrame *frame = new_frame(format_of(&header), TJSCALED(header.width, factor),
                               TJSCALED(header.height, factor));
    if (decode(handle, bytes, len, &header, frame, err) < 0)
        return -1;
    *out = TAKE(frame);
    return 0;
}

int jpeg_encode(const AVFrame *frame, int quality, uint8_t **out, size_t *len, struct err *err)
{
    CLEANUP(destroy_at) tjhandle handle = tjInitCompress();
    const uint8_t *planes[3] = {frame->data[0], frame->data[1], frame->data[2]};
    unsigned char *bytes = NULL;
    unsigned long size = 0;
    if (!handle)
        abort();
    if (tjCompressFromYUVPlanes(handle, planes, frame->width, frame->linesize, frame->height,
                                TJSAMP_420, &bytes, &size, quality, 0) < 0) {
        tjFree(bytes);
        return err_set(err, ERR_INTERNAL, "encode a JPEG: %s", tjGetErrorStr2(handle));
    }
    *out = bytes;
    *len = size;
    return 0;
}
