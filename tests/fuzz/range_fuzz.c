/* Fuzzes the Range header: a part lies within the object, and its plain form means the same. */
#include <inttypes.h>
#include <stdlib.h>

#include "common/arena.h"
#include "gateway/range.h"
#include "tests/fuzz/fuzz.h"

static void try_size(const char *header, int64_t size, struct arena *arena)
{
    int64_t offset = -1, len = -1, again_offset, again_len;
    enum range_result result = range_parse(header, size, &offset, &len);
    if (result != RANGE_PART) {
        if (offset != -1 || len != -1)
            abort();
        return;
    }
    if (offset < 0 || len <= 0 || offset >= size || len > size - offset)
        abort();
    const char *plain = arena_printf(arena, "bytes=%" PRId64 "-%" PRId64, offset, offset + len - 1);
    if (offset + len > INT64_C(999999999999999999))
        return;
    if (range_parse(plain, size, &again_offset, &again_len) != RANGE_PART ||
        again_offset != offset || again_len != len)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const int64_t sizes[] = {0, 1, 2, 500, 10000, INT64_C(1) << 40, INT64_MAX};
    struct arena arena = {0};
    const char *header = arena_strndup(&arena, (const char *)bytes, len);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        try_size(header, sizes[i], &arena);
    arena_release(&arena);
    return 0;
}
