/* Fuzzes tokens: as they come, and behind a good signature, where nothing but the rules protects.
 */
#include <stdlib.h>
#include <string.h>

#include "common/digest.h"
#include "gateway/base64url.h"
#include "gateway/jwt.h"
#include "proto/file_path.h"
#include "tests/fuzz/fuzz.h"

#define SECRET "0123456789abcdef0123456789abcdef"
static const int64_t now_s = 1800000000;

static int verify(const char *token, struct arena *arena, struct jwt_claims *claims)
{
    struct err err = {0};
    int result = jwt_verify(token, strlen(token), SECRET, now_s, arena, claims, &err);
    if (result != 0 && err.code != ERR_INVALID_TOKEN && err.code != ERR_TOKEN_EXPIRED)
        abort();
    return result;
}

static const char *sign(const char *text, struct arena *arena)
{
    uint8_t digest[DIGEST_LEN];
    char signature[BASE64URL_LEN(DIGEST_LEN) + 1];
    digest_hmac_sha256(SECRET, strlen(SECRET), text, strlen(text), digest);
    base64url_encode(digest, sizeof digest, signature);
    return arena_printf(arena, "%s.%s", text, signature);
}

static void check_claims(const struct jwt_claims *claims)
{
    const char *why;
    if (claims->sub[0] == '\0' || ident_check(claims->tenant, &why) != ERR_NONE ||
        claims->role == ROLE_NONE)
        abort();
    if (claims->exp <= now_s || claims->exp > now_s + JWT_LIFE_MAX_S ||
        claims->nbf > now_s + JWT_SKEW_S || claims->iat > now_s + JWT_SKEW_S)
        abort();
}

/* Any other character at any place: one place for each input. */
static void check_changed(const char *token, size_t place, struct arena *arena)
{
    struct jwt_claims claims;
    char *changed = arena_strdup(arena, token);
    size_t at = place % strlen(changed);
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    if (verify(changed, arena, &claims) == 0)
        abort();
}

static void try_signed(const char *text, size_t place, struct arena *arena)
{
    struct jwt_claims claims;
    const char *token = sign(text, arena);
    if (verify(token, arena, &claims) != 0)
        return;
    check_claims(&claims);
    check_changed(token, place, arena);
}

static const char *encode(const char *bytes, size_t len, struct arena *arena)
{
    char *out = arena_alloc(arena, BASE64URL_LEN(len) + 1);
    base64url_encode((const uint8_t *)bytes, len, out);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena arena = {0};
    struct jwt_claims claims;
    const char *text = arena_strndup(&arena, (const char *)bytes, len);
    const char *line = memchr(text, '\n', len);
    size_t header_len = line ? (size_t)(line - text) : 0;
    if (verify(text, &arena, &claims) == 0)
        abort(); /* nobody knows the secret */
    try_signed(text, len, &arena);
    /* A header in a line, then the claims. */
    if (line) {
        const char *header = encode(text, header_len, &arena);
        const char *rest = encode(line + 1, len - header_len - 1, &arena);
        try_signed(arena_printf(&arena, "%s.%s", header, rest), len * 7, &arena);
    }
    arena_release(&arena);
    return 0;
}
