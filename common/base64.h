/* Base 64, strictly (RFC 4648): one spelling for each sequence of bytes. */
#ifndef COMMON_BASE64_H
#define COMMON_BASE64_H

#include <stddef.h>
#include <stdint.h>

enum base64_kind {
    BASE64_PADDED, /* '+', '/' and '=' up to a multiple of four: Content-MD5 */
    BASE64_URL     /* '-', '_' and no padding: tokens */
};

/* Room for the text of that many bytes, with its NUL; and for the bytes of a text of that length. */
#define BASE64_TEXT_ROOM(bytes) (((bytes) + 2) / 3 * 4 + 1)
#define BASE64_BYTES_ROOM(len) (((len) + 3) / 4 * 3)

/* Writes the text and a NUL; returns its length. */
size_t base64_encode(enum base64_kind kind, const void *bytes, size_t len, char *out);
/* -1 for anything that base64_encode would not have written: other characters, padding, bits left over. */
int base64_decode(enum base64_kind kind, const char *text, size_t len, uint8_t *out, size_t *out_len);

#endif
