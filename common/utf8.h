/* UTF-8, judged one character at a time. */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Length of the character that begins at `at` (1 … 4), 0 if it is not UTF-8: overlong forms,
 * surrogates and what lies above U+10FFFF are not. */
size_t utf8_len(const char *at, size_t len);
/* Whether `at` is the beginning of a character that only its end is missing of. */
_Bool utf8_cut(const char *at, size_t len);
/* Writes the character of a code point that is no surrogate; returns its length. */
size_t utf8_put(uint32_t code, char out[4]);
/* `len` or a little less, so that text[0 … result) ends with a whole character. */
size_t utf8_floor(const char *text, size_t len);

#endif
