/* The one door to libcrypto: SHA-256, HMAC, and comparison that takes the same time whatever
 * differs. */
#ifndef COMMON_DIGEST_H
#define COMMON_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIGEST_LEN = 32, DIGEST_HEX_LEN = 64, DIGEST_BASE64_LEN = 44, DIGEST_MD5_LEN = 16 };

void digest_sha256(const void *bytes, size_t len, uint8_t out[DIGEST_LEN]);
void digest_hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t len,
                        uint8_t out[DIGEST_LEN]);

/* A SHA-256 in pieces; digest_end frees it, out may be NULL to give up. */
struct digest;
struct digest *digest_begin(void);
void digest_add(struct digest *digest, const void *bytes, size_t len);
void digest_end(struct digest *digest, uint8_t out[DIGEST_LEN]);

/* MD5, only because S3 compares it with what arrives: digest_end fills the first DIGEST_MD5_LEN bytes. */
struct digest *digest_begin_md5(void);
/* 4 characters for every 3 bytes begun, and a NUL. */
void digest_base64(const uint8_t *bytes, size_t len, char *out);

/* Lower case, and a NUL. */
void digest_hex(const uint8_t digest[DIGEST_LEN], char out[DIGEST_HEX_LEN + 1]);
/* From the one spelling of a SHA-256 to the other; -1 if hex is none. */
int digest_hex_base64(const char *hex, char out[DIGEST_BASE64_LEN + 1]);
bool digest_equal(const void *a, const void *b, size_t len);

#endif
