/* Six bits at a time. */
#include "gateway/base64url.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void base64url_encode(const uint8_t *bytes, size_t len, char *out)
{
    uint32_t bits = 0;
    int held = 0;
    for (size_t i = 0; i < len; i++) {
        bits = (bits << 8 | bytes[i]) & 0xFFFF;
        for (held += 8; held >= 6; held -= 6)
            *out++ = alphabet[bits >> (held - 6) & 63];
    }
    if (held > 0)
        *out++ = alphabet[bits << (6 - held) & 63];
    *out = '\0';
}

ptrdiff_t base64url_decode(const char *text, size_t len, uint8_t *out, size_t room)
{
    uint32_t bits = 0;
    int held = 0;
    size_t written = 0;
    for (size_t i = 0; i < len; i++) {
        const char *at = text[i] ? strchr(alphabet, text[i]) : NULL;
        if (!at)
            return -1;
        bits = (bits << 6 | (uint32_t)(at - alphabet)) & 0xFFFF;
        held += 6;
        if (held < 8)
            continue;
        held -= 8;
        if (written == room)
            return -1;
        out[written++] = (uint8_t)(bits >> held);
    }
    /* Left-over bits must be zero and fewer than a character's. */
    return held < 6 && (bits & ((1U << held) - 1)) == 0 ? (ptrdiff_t)written : -1;
}
