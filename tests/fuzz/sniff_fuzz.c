/* Fuzzes magic bytes: what is taken has a name, a class, and a type that its extension means. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "proto/file_path.h"
#include "tests/fuzz/fuzz.h"
#include "worker/download/sniff.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const struct sniff *found = sniff_bytes(bytes, len);
    char name[32];
    if (!found || !found->name)
        abort();
    if (found->media == MEDIA_NONE && (found->extension || found->content_type))
        abort();
    if (found->media != MEDIA_NONE) {
        snprintf(name, sizeof name, "source%s", found->extension);
        if (strcmp(file_kind(name)->content_type, found->content_type) != 0)
            abort();
    }
    /* Nothing behind the beginning matters. */
    CLEANUP(free_at) uint8_t *longer = calloc(1, SNIFF_BYTES + 64);
    if (!longer)
        abort();
    if (len >= SNIFF_BYTES) {
        memcpy(longer, bytes, SNIFF_BYTES);
        if (sniff_bytes(longer, SNIFF_BYTES + 64) != found)
            abort();
    }
    return 0;
}
