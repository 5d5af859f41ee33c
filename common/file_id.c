/* The id says what the row is of: whoever writes it twice writes one. */
#include "common/file_id.h"

#include <string.h>

#include "common/digest.h"

const char *file_id(const char *backend, const char *key, struct arena *arena)
{
    uint8_t sum[DIGEST_LEN];
    char hex[DIGEST_HEX_LEN + 1];
    const char *text = arena_printf(arena, "%s\n%s", backend, key);
    digest_sha256(text, strlen(text), sum);
    digest_hex(sum, hex);
    return arena_strdup(arena, hex);
}
