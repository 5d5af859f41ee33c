/* HMAC-SHA256 over "<expires>\n<prefix>", base64url. */
#include "gateway/media_url.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/digest.h"
#include "gateway/base64url.h"
#include "proto/file_path.h"

enum { SIGNATURE_LEN = BASE64URL_LEN(DIGEST_LEN), EXPIRES_DIGITS_MAX = 12 };

static void sign(const char *secret, int64_t expires_s, const char *key, size_t prefix_len,
                 char out[SIGNATURE_LEN + 1])
{
    char text[OBJECT_KEY_MAX + 32];
    uint8_t digest[DIGEST_LEN];
    int len = snprintf(text, sizeof text, "%" PRId64 "\n%.*s", expires_s, (int)prefix_len, key);
    digest_hmac_sha256(secret, strlen(secret), text, (size_t)len, digest);
    base64url_encode(digest, sizeof digest, out);
}

const char *media_url_path(struct arena *arena, const char *secret, int64_t expires_s,
                           const char *key)
{
    char signature[SIGNATURE_LEN + 1];
    size_t prefix_len = object_key_valid(key) ? file_prefix_len(key) : 0;
    if (prefix_len == 0)
        return NULL;
    sign(secret, expires_s, key, prefix_len, signature);
    return arena_printf(arena, "/media/%" PRId64 ".%s/%s", expires_s, signature, key);
}

/* Digits only, and few enough of them. -1 if it is no such number. */
static int64_t parse_expires(const char *grant, size_t len)
{
    int64_t value = 0;
    if (len == 0 || len > EXPIRES_DIGITS_MAX || grant[0] == '0')
        return -1;
    for (size_t i = 0; i < len; i++) {
        if (grant[i] < '0' || grant[i] > '9')
            return -1;
        value = value * 10 + (grant[i] - '0');
    }
    return value;
}

int media_url_check(const char *grant, const char *key, const char *secret, int64_t now_s,
                    struct err *err)
{
    char should[SIGNATURE_LEN + 1];
    size_t digits = strcspn(grant, "."), prefix_len;
    int64_t expires_s = parse_expires(grant, digits);
    if (!object_key_valid(key) || (prefix_len = file_prefix_len(key)) == 0)
        return err_set(err, ERR_OBJECT_NOT_FOUND, "there is no such object");
    if (expires_s < 0 || strlen(grant) != digits + 1 + SIGNATURE_LEN)
        return err_set(err, ERR_INVALID_SIGNATURE, "the URL's signature is wrong");
    sign(secret, expires_s, key, prefix_len, should);
    if (!digest_equal(grant + digits + 1, should, SIGNATURE_LEN))
        return err_set(err, ERR_INVALID_SIGNATURE, "the URL's signature is wrong");
    if (expires_s <= now_s)
        return err_set(err, ERR_URL_EXPIRED, "the URL has expired");
    return 0;
}

int64_t media_url_expires(const char *grant)
{
    return parse_expires(grant, strcspn(grant, "."));
}
