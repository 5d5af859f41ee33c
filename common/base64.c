/* Base 64, strictly: what does not encode back to the same text is refused. */
#include "common/base64.h"

static const char *const alphabets[] = {
    [BASE64_PADDED] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    [BASE64_URL] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

size_t base64_encode(enum base64_kind kind, const void *bytes, size_t len, char *out)
{
    const uint8_t *from = bytes;
    size_t at = 0;
    for (size_t i = 0; i < len; i += 3) {
        size_t have = len - i < 3 ? len - i : 3;
        uint32_t bits = (uint32_t)from[i] << 16;
        bits |= have > 1 ? (uint32_t)from[i + 1] << 8 : 0;
        bits |= have > 2 ? from[i + 2] : 0;
        for (size_t k = 0; k < 4; k++)
            if (k <= have)
                out[at++] = alphabets[kind][bits >> (18 - 6 * k) & 63];
            else if (kind == BASE64_PADDED)
                out[at++] = '=';
    }
    out[at] = '\0';
    return at;
}

static int value_of(enum base64_kind kind, char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == alphabets[kind][62])
        return 62;
    return c == alphabets[kind][63] ? 63 : -1;
}

int base64_decode(enum base64_kind kind, const char *text, size_t len, uint8_t *out,
                  size_t *out_len)
{
    if (kind == BASE64_PADDED) {
        if (len % 4 != 0)
            return -1;
        for (int i = 0; i < 2 && len > 0 && text[len - 1] == '='; i++)
            len--;
    }
    if (len % 4 == 1)
        return -1;
    uint32_t bits = 0;
    unsigned held = 0;
    size_t at = 0;
    for (size_t i = 0; i < len; i++) {
        int value = value_of(kind, text[i]);
        if (value < 0)
            return -1;
        bits = (bits << 6 | (uint32_t)value) & 0xFFFF;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[at++] = (uint8_t)(bits >> held);
        }
    }
    if ((bits & ((1u << held) - 1)) != 0)
        return -1;
    *out_len = at;
    return 0;
}
