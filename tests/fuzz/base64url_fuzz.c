/* Fuzzes base64url both ways: one text for each value, one value for each text. */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "gateway/base64url.h"
#include "tests/fuzz/fuzz.h"

static void decode_and_back(const uint8_t *bytes, size_t len)
{
    const char *text = (const char *)bytes;
    CLEANUP(free_at) uint8_t *value = malloc(len + 1);
    CLEANUP(free_at) char *again = malloc(BASE64URL_LEN(len) + 1);
    if (!value || !again)
        abort();
    ptrdiff_t value_len = base64url_decode(text, len, value, len);
    if (value_len < 0)
        return;
    base64url_encode(value, (size_t)value_len, again);
    if (strlen(again) != len || memcmp(again, text, len) != 0)
        abort();
    if (value_len > 0 && base64url_decode(text, len, value, (size_t)value_len - 1) != -1)
        abort();
}

static void encode_and_back(const uint8_t *bytes, size_t len)
{
    CLEANUP(free_at) char *text = malloc(BASE64URL_LEN(len) + 1);
    CLEANUP(free_at) uint8_t *again = malloc(len + 1);
    if (!text || !again)
        abort();
    base64url_encode(bytes, len, text);
    if (strlen(text) != BASE64URL_LEN(len) ||
        base64url_decode(text, strlen(text), again, len) != (ptrdiff_t)len ||
        memcmp(again, bytes, len) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    decode_and_back(bytes, len);
    encode_and_back(bytes, len);
    return 0;
}
