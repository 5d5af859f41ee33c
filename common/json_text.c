/* JSON values, printed one at a time: no printf for what answers are made of. */
#include "common/json_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/utf8.h"

/* How a byte is written inside a string: 0 as it is, 'u' as \u00XX, 1 for a byte that begins a
 * longer character, else the letter after the backslash. */
static unsigned char escape_of(unsigned char byte)
{
    if (byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\')
        return 0;
    static const unsigned char controls[32] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r',
    };
    if (byte >= 0x80)
        return 1;
    if (byte < 0x20)
        return controls[byte] ? controls[byte] : 'u';
    return byte == 0x7F ? 'u' : byte;
}

static void add_escape(struct text *text, unsigned char byte, unsigned char how)
{
    static const char digits[] = "0123456789abcdef";
    char out[6] = {'\\', (char)how, '0', '0', digits[byte >> 4], digits[byte & 15]};
    text_add(text, out, how == 'u' ? 6 : 2);
}

void json_string(struct text *text, const char *value)
{
    size_t len = strlen(value), from = 0;
    text_add(text, "\"", 1);
    for (size_t i = 0; i < len;) {
        unsigned char byte = (unsigned char)value[i], how = escape_of(byte);
        size_t step = how == 1 ? utf8_len(value + i, len - i) : 1;
        if (how == 0 || (how == 1 && step > 0)) {
            i += step;
            continue;
        }
        text_add(text, value + from, i - from);
        if (how == 1)
            text_puts(text, "\\ufffd");
        else
            add_escape(text, byte, how);
        from = ++i;
    }
    text_add(text, value + from, len - from);
    text_add(text, "\"", 1);
}

void json_int(struct text *text, int64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (value < 0)
        digits[--at] = '-';
    text_add(text, digits + at, sizeof digits - at);
}

void json_double(struct text *text, double value)
{
    if (!isfinite(value))
        value = 0;
    char digits[32];
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    text_puts(text, digits);
}

void json_time(struct text *text, int64_t ms)
{
    char out[CLOCK_RFC3339_LEN + 3];
    clock_format(ms, out + 1);
    out[0] = out[CLOCK_RFC3339_LEN + 1] = '"';
    text_add(text, out, CLOCK_RFC3339_LEN + 2);
}
