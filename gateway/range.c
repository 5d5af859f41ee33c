/* "bytes=a-b", "bytes=a-", "bytes=-n". */
#include "gateway/range.h"

#include <stdbool.h>
#include <string.h>

/* Digits, at most 18 of them; -1 if there are none, -2 if there are too many. */
static int64_t number(const char **at)
{
    int64_t value = 0;
    size_t len = strspn(*at, "0123456789");
    if (len == 0 || len > 18)
        return len ? -2 : -1;
    for (size_t i = 0; i < len; i++)
        value = value * 10 + ((*at)[i] - '0');
    *at += len;
    return value;
}

static enum range_result suffix(int64_t wanted, int64_t size, int64_t *offset, int64_t *len)
{
    if (wanted == 0 || size == 0)
        return RANGE_UNSATISFIABLE;
    *len = wanted < size ? wanted : size;
    *offset = size - *len;
    return RANGE_PART;
}

enum range_result range_parse(const char *header, int64_t size, int64_t *offset, int64_t *len)
{
    if (!header || strncmp(header, "bytes=", 6) != 0)
        return RANGE_WHOLE;
    const char *at = header + 6;
    int64_t first = number(&at);
    if (*at++ != '-')
        return RANGE_WHOLE;
    int64_t last = number(&at);
    if (*at != '\0' || first == -2 || last == -2 || (first == -1 && last == -1))
        return RANGE_WHOLE;
    if (first == -1)
        return suffix(last, size, offset, len);
    if (last != -1 && last < first)
        return RANGE_WHOLE;
    if (first >= size)
        return RANGE_UNSATISFIABLE;
    if (last == -1 || last >= size)
        last = size - 1;
    *offset = first;
    *len = last - first + 1;
    return RANGE_PART;
}
