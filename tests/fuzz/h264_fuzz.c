/* Fuzzes the parameter sets and samples of a copied stream: first a length byte and an avcC box,
 * then a sample. */
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"
#include "worker/transcode/h264.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct h264_sps sps;
    size_t box = len > 0 ? bytes[0] : 0;
    if (len < 1 + box || !h264_read_avcc(bytes + 1, box, &sps))
        return 0;
    if (sps.width <= 0 || sps.height <= 0 || sps.width > 16384 || sps.height > 32768)
        abort();
    h264_picture(bytes + 1 + box, len - 1 - box, bytes + 1, box);
    return 0;
}
