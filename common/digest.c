/* libcrypto fails here only when memory is out: that aborts, as everywhere. */
#include "common/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

struct digest {
    EVP_MD_CTX *context;
};

static void demand(bool ok)
{
    if (!ok)
        abort();
}

void digest_sha256(const void *bytes, size_t len, uint8_t out[DIGEST_LEN])
{
    demand(EVP_Digest(bytes, len, out, NULL, EVP_sha256(), NULL) == 1);
}

void digest_hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t len,
                        uint8_t out[DIGEST_LEN])
{
    unsigned written = 0;
    demand(HMAC(EVP_sha256(), key, (int)key_len, bytes, len, out, &written) != NULL &&
           written == DIGEST_LEN);
}

static struct digest *begin(const EVP_MD *kind)
{
    struct digest *digest = malloc(sizeof *digest);
    demand(digest != NULL);
    digest->context = EVP_MD_CTX_new();
    demand(digest->context && EVP_DigestInit_ex(digest->context, kind, NULL) == 1);
    return digest;
}

struct digest *digest_begin(void)
{
    return begin(EVP_sha256());
}

struct digest *digest_begin_md5(void)
{
    return begin(EVP_md5());
}

void digest_base64(const uint8_t *bytes, size_t len, char *out)
{
    EVP_EncodeBlock((unsigned char *)out, bytes, (int)len);
}

void digest_add(struct digest *digest, const void *bytes, size_t len)
{
    demand(EVP_DigestUpdate(digest->context, bytes, len) == 1);
}

void digest_end(struct digest *digest, uint8_t out[DIGEST_LEN])
{
    if (out)
        demand(EVP_DigestFinal_ex(digest->context, out, NULL) == 1);
    EVP_MD_CTX_free(digest->context);
    free(digest);
}

void digest_hex(const uint8_t digest[DIGEST_LEN], char out[DIGEST_HEX_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < DIGEST_LEN; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[DIGEST_HEX_LEN] = '\0';
}

int digest_hex_base64(const char *hex, char out[DIGEST_BASE64_LEN + 1])
{
    uint8_t sum[DIGEST_LEN];
    size_t len;
    if (strlen(hex) != DIGEST_HEX_LEN || !OPENSSL_hexstr2buf_ex(sum, sizeof sum, &len, hex, '\0') ||
        len != sizeof sum)
        return -1;
    digest_base64(sum, sizeof sum, out);
    return 0;
}

bool digest_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}
