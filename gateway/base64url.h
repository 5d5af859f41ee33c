/* RFC 4648 §5 without padding, strictly: one text for each value. */
#ifndef GATEWAY_BASE64URL_H
#define GATEWAY_BASE64URL_H

#include <stddef.h>
#include <stdint.h>

#define BASE64URL_LEN(bytes) (((bytes)*4 + 2) / 3)

/* out: BASE64URL_LEN(len) characters and a NUL. */
void base64url_encode(const uint8_t *bytes, size_t len, char *out);
/* Returns the number of bytes written (at most `room`), or -1: other characters, padding, bits left
 * over, no room. */
ptrdiff_t base64url_decode(const char *text, size_t len, uint8_t *out, size_t room);

#endif
