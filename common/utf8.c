/* UTF-8, judged one character at a time (Unicode 15, table 3-7). */
#include "common/utf8.h"

struct lead {
    unsigned char from, to;  /* first byte */
    unsigned char low, high; /* bounds of the second */
    unsigned char len;
};
static const struct lead leads[] = {
    {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
    {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
    {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

static const struct lead *lead_of(unsigned char byte)
{
    for (size_t i = 0; i < sizeof leads / sizeof leads[0]; i++)
        if (byte >= leads[i].from && byte <= leads[i].to)
            return &leads[i];
    return NULL;
}

/* How many of the bytes after the first are as they should be, at most all of them. */
static size_t tail_len(const struct lead *lead, const unsigned char *at, size_t len)
{
    if (len < 2 || at[1] < lead->low || at[1] > lead->high)
        return 0;
    size_t good = 1;
    while (good + 1 < lead->len && good + 1 < len && (at[good + 1] & 0xC0) == 0x80)
        good++;
    return good;
}

size_t utf8_len(const char *at, size_t len)
{
    const unsigned char *bytes = (const unsigned char *)at;
    if (len == 0)
        return 0;
    if (bytes[0] < 0x80)
        return 1;
    const struct lead *lead = lead_of(bytes[0]);
    return lead && tail_len(lead, bytes, len) + 1 == lead->len ? lead->len : 0;
}

_Bool utf8_cut(const char *at, size_t len)
{
    const unsigned char *bytes = (const unsigned char *)at;
    if (len == 0 || bytes[0] < 0x80)
        return 0;
    const struct lead *lead = lead_of(bytes[0]);
    return lead && len < lead->len && tail_len(lead, bytes, len) + 1 == len;
}

size_t utf8_put(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = len - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)(marks[len] | code);
    return len;
}

size_t utf8_floor(const char *text, size_t len)
{
    for (size_t back = 1; back <= 3 && back <= len; back++)
        if (utf8_cut(text + len - back, back))
            return len - back;
    return len;
}
