/* A walk through JPEG segments up to the frame header. */
#include "worker/thumbnail/markers.h"

#include <stdbool.h>
#include <string.h>

#include "worker/thumbnail/exif.h"

enum {
    APP0 = 0xe0,
    APP1 = 0xe1,
    APP15 = 0xef,
    SOF0 = 0xc0,
    SOF1 = 0xc1,
    SOF2 = 0xc2,
    DHT = 0xc4,
    JPG = 0xc8,
    DAC = 0xcc,
    SOF15 = 0xcf,
    DQT = 0xdb,
    DRI = 0xdd,
    COM = 0xfe
};

static const struct {
    const char *magic;
    size_t len, offset;
    const char *name;
} others[] = {
    {"\x89PNG", 4, 0, "a PNG"},    {"GIF8", 4, 0, "a GIF"},      {"WEBP", 4, 8, "a WebP"},
    {"BM", 2, 0, "a BMP"},         {"II*\0", 4, 0, "a TIFF"},    {"MM\0*", 4, 0, "a TIFF"},
    {"ftypavif", 8, 4, "an AVIF"}, {"ftyphei", 7, 4, "an HEIC"}, {"<svg", 4, 0, "an SVG"},
    {"<?xml", 5, 0, "an SVG"},
};

static int not_a_jpeg(const uint8_t *bytes, size_t len, struct err *err)
{
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (len >= others[i].offset + others[i].len &&
            memcmp(bytes + others[i].offset, others[i].magic, others[i].len) == 0)
            return err_set(err, ERR_UNSUPPORTED_IMAGE, "the picture is %s, only JPEG is accepted",
                           others[i].name);
    return err_set(err, ERR_UNSUPPORTED_IMAGE, "the file is not a JPEG");
}

static bool is_frame(int marker)
{
    return marker >= SOF0 && marker <= SOF15 && marker != DHT && marker != JPG && marker != DAC;
}

/* What the decoder, too, skips by its length: behind any other marker the two would see different
 * segments, and so different pictures. */
static bool is_skipped(int marker)
{
    return (marker >= APP0 && marker <= APP15) || (marker >= DQT && marker <= DRI) ||
           marker == DHT || marker == DAC || marker == COM;
}

static int read_frame(int marker, const uint8_t *bytes, size_t len, struct markers *out,
                      struct err *err)
{
    if (len < 6)
        return err_set(err, ERR_CORRUPT_IMAGE, "the frame header is cut off");
    if (marker != SOF0 && marker != SOF1 && marker != SOF2)
        return err_set(err, ERR_UNSUPPORTED_IMAGE,
                       "JPEG process %d (lossless, hierarchical or arithmetic)", marker - SOF0);
    if (bytes[0] != 8)
        return err_set(err, ERR_UNSUPPORTED_IMAGE, "%d bits a sample", bytes[0]);
    out->height = bytes[1] << 8 | bytes[2];
    out->width = bytes[3] << 8 | bytes[4];
    if (out->width == 0 || out->height == 0)
        return err_set(err, ERR_CORRUPT_IMAGE, "the picture has no size");
    if (out->width > MARKERS_SIDE_MAX || out->height > MARKERS_SIDE_MAX ||
        (int64_t)out->width * out->height > MARKERS_PIXELS_MAX)
        return err_set(err, ERR_DIMENSIONS_TOO_LARGE, "%dx%d, at most %d pixels and sides of %d",
                       out->width, out->height, MARKERS_PIXELS_MAX, MARKERS_SIDE_MAX);
    return 0;
}

int markers_read(const uint8_t *bytes, size_t len, struct markers *out, struct err *err)
{
    struct markers found = {.orientation = 1};
    if (len < 4 || bytes[0] != 0xff || bytes[1] != 0xd8)
        return not_a_jpeg(bytes, len, err);
    for (size_t at = 2; at + 4 <= len;) {
        int marker = bytes[at + 1];
        if (bytes[at] != 0xff)
            break;
        if (marker == 0xff) { /* fill byte */
            at++;
            continue;
        }
        size_t size = (size_t)bytes[at + 2] << 8 | bytes[at + 3];
        if (size < 2 || size > len - at - 2 || !(is_frame(marker) || is_skipped(marker)))
            break;
        const uint8_t *body = bytes + at + 4;
        if (marker == APP1 && found.orientation == 1)
            found.orientation = exif_orientation(body, size - 2);
        if (is_frame(marker)) {
            if (read_frame(marker, body, size - 2, &found, err) < 0)
                return -1;
            *out = found;
            return 0;
        }
        at += 2 + size;
    }
    return err_set(err, ERR_CORRUPT_IMAGE, "no frame header");
}
