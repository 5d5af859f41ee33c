/* Fuzzes the walk through a movie fragment: a range lies within it, from a moof into an mdat. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "worker/transcode/fragment.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct fragment_range range;
    struct err err = {0};
    if (fragment_first_sample(bytes, len, &range, &err) != 0) {
        if (err.code != ERR_INTERNAL)
            abort();
        return 0;
    }
    if (range.start + 8 > len || range.end > len || memcmp(bytes + range.start + 4, "moof", 4) != 0)
        abort();
    return 0;
}
