/* The Range header of RFC 9110, one range of bytes: pure. */
#ifndef GATEWAY_RANGE_H
#define GATEWAY_RANGE_H

#include <stdint.h>

enum range_result { RANGE_WHOLE, RANGE_PART, RANGE_UNSATISFIABLE };

/* RANGE_WHOLE also for headers that may be ignored: NULL, other units, several ranges, malformed
 * ones. */
enum range_result range_parse(const char *header, int64_t size, int64_t *offset, int64_t *len);

#endif
