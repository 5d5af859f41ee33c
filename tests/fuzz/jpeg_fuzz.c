/* Fuzzes JPEG files from their markers to their pixels: TurboJPEG decodes the picture whose size
 * was checked, and no other. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "worker/thumbnail/exif.h"
#include "worker/thumbnail/jpeg.h"
#include "worker/thumbnail/markers.h"

enum { SIDE_MAX = 256 }; /* of what is decoded here */

static void decode(const uint8_t *bytes, size_t len, const struct markers *markers)
{
    CLEANUP(frame_free_at) AVFrame *whole = NULL;
    CLEANUP(frame_free_at) AVFrame *eighth = NULL;
    struct err err = {0};
    int result = jpeg_decode(bytes, len, markers->width, markers->height, &whole, &err);
    if (result == 0 && (whole->width != markers->width || whole->height != markers->height))
        abort();
    if (result != 0 && err.code != ERR_CORRUPT_IMAGE && err.code != ERR_UNSUPPORTED_IMAGE &&
        err.code != ERR_TOO_MANY_SCANS)
        abort();
    if (jpeg_decode(bytes, len, 1, 1, &eighth, &err) == 0 &&
        (eighth->width != (markers->width + 7) / 8 || eighth->height != (markers->height + 7) / 8))
        abort();
}

/* More bytes behind it do not change what a head says. */
static void check_stable(const uint8_t *bytes, size_t len, const struct markers *markers)
{
    CLEANUP(free_at) uint8_t *longer = calloc(1, len + 16);
    struct markers again;
    struct err err = {0};
    if (!longer)
        abort();
    memcpy(longer, bytes, len);
    if (markers_read(longer, len + 16, &again, &err) != 0 || again.width != markers->width ||
        again.height != markers->height || again.orientation != markers->orientation)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct markers markers;
    struct err err = {0};
    int orientation = exif_orientation(bytes, len);
    if (orientation < 1 || orientation > 8)
        abort();
    if (markers_read(bytes, len, &markers, &err) != 0)
        return 0;
    if (markers.width < 1 || markers.height < 1 || markers.orientation < 1 ||
        markers.orientation > 8 || (int64_t)markers.width * markers.height > MARKERS_PIXELS_MAX)
        abort();
    check_stable(bytes, len, &markers);
    if (markers.width <= SIDE_MAX && markers.height <= SIDE_MAX)
        decode(bytes, len, &markers);
    return 0;
}
