/* JSON values, printed one at a time into a growing text. */
#ifndef COMMON_JSON_TEXT_H
#define COMMON_JSON_TEXT_H

#include "common/arena.h"

#include <stdint.h>

/* Adds the quotes and escapes; what is not UTF-8 becomes U+FFFD. */
void json_string(struct text *text, const char *value);
void json_int(struct text *text, int64_t value);
/* The shortest digits that read back as the same number; 0 for what JSON has no number for. */
void json_double(struct text *text, double value);
/* ms since 1970 as an RFC 3339 string in quotes. */
void json_time(struct text *text, int64_t ms);

#endif
