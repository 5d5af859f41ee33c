/* API keys and tokens, good ones and every kind of bad one. */
#include "gateway/auth.h"

#include "check.h"
#include "common/digest.h"
#include "gateway/base64url.h"
#include "gateway/jwt.h"

#define SECRET "0123456789abcdef0123456789abcdef"
enum { NOW = 1800000000 };

static struct arena arena;
static struct identity who;
static struct err err;

/* header.claims.signature */
static const char *sign(const char *header, const char *claims, const char *secret)
{
    static char token[8192];
    char signature[64];
    uint8_t digest[DIGEST_LEN];
    base64url_encode((const uint8_t *)header, strlen(header), token);
    strcat(token, ".");
    base64url_encode((const uint8_t *)claims, strlen(claims), token + strlen(token));
    digest_hmac_sha256(secret, strlen(secret), token, strlen(token), digest);
    base64url_encode(digest, sizeof digest, signature);
    strcat(token, ".");
    return strcat(token, signature);
}

#define HS256 "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define CLAIMS(times) "{\"sub\":\"me\",\"tenant\":\"acme\",\"role\":\"operator\"," times "}"

static int verify(const char *token)
{
    struct jwt_claims claims;
    err = (struct err){0};
    int result = jwt_verify(token, strlen(token), SECRET, NOW, &arena, &claims, &err);
    arena_reset(&arena);
    return result;
}

static void good_token(void)
{
    struct jwt_claims claims;
    const char *token =
        sign(HS256, CLAIMS("\"exp\":1800000100,\"nbf\":1800000030,\"iat\":1799999990,\"more\":1"),
             SECRET);
    CHECK_INT(jwt_verify(token, strlen(token), SECRET, NOW, &arena, &claims, &err), 0);
    CHECK_STR(claims.sub, "me");
    CHECK_STR(claims.tenant, "acme");
    CHECK_INT(claims.role, ROLE_OPERATOR);
    arena_reset(&arena);
}

static void bad_tokens(void)
{
    static const struct {
        const char *header, *claims, *secret;
        enum error code;
    } cases[] = {
        {"{\"alg\":\"none\"}", CLAIMS("\"exp\":1800000100"), SECRET, ERR_INVALID_TOKEN},
        {"{\"alg\":\"RS256\"}", CLAIMS("\"exp\":1800000100"), SECRET, ERR_INVALID_TOKEN},
        {"{\"alg\":\"HS512\"}", CLAIMS("\"exp\":1800000100"), SECRET, ERR_INVALID_TOKEN},
        {"{\"alg\":\"HS256\",\"crit\":[\"b64\"]}", CLAIMS("\"exp\":1800000100"), SECRET,
         ERR_INVALID_TOKEN},
        {"{\"alg\":\"hs256\"}", CLAIMS("\"exp\":1800000100"), SECRET, ERR_INVALID_TOKEN},
        {"{\"typ\":\"JWT\"}", CLAIMS("\"exp\":1800000100"), SECRET, ERR_INVALID_TOKEN},
        {"[]", CLAIMS("\"exp\":1800000100"), SECRET, ERR_INVALID_TOKEN},
        {HS256, CLAIMS("\"exp\":1800000000"), SECRET, ERR_TOKEN_EXPIRED},
        {HS256, CLAIMS("\"exp\":1799990000"), SECRET, ERR_TOKEN_EXPIRED},
        {HS256, CLAIMS("\"exp\":-1"), SECRET, ERR_TOKEN_EXPIRED},
        {HS256, CLAIMS("\"exp\":1800086401"), SECRET, ERR_INVALID_TOKEN},
        {HS256, CLAIMS("\"exp\":9223372036854775807"), SECRET, ERR_INVALID_TOKEN},
        {HS256, CLAIMS("\"exp\":\"1800000100\""), SECRET, ERR_INVALID_TOKEN},
        {HS256, CLAIMS("\"iat\":1800000000"), SECRET, ERR_INVALID_TOKEN},
        {HS256, CLAIMS("\"exp\":1800000100,\"nbf\":1800000061"), SECRET, ERR_INVALID_TOKEN},
        {HS256, CLAIMS("\"exp\":1800000100,\"iat\":1800000061"), SECRET, ERR_INVALID_TOKEN},
        {HS256, CLAIMS("\"exp\":1800000100"), "another", ERR_INVALID_TOKEN},
        {HS256, "{\"sub\":\"me\",\"role\":\"admin\",\"exp\":1800000100}", SECRET,
         ERR_INVALID_TOKEN},
        {HS256, "{\"sub\":\"me\",\"tenant\":\"a\",\"role\":\"root\",\"exp\":1800000100}", SECRET,
         ERR_INVALID_TOKEN},
        {HS256, "{\"sub\":\"me\",\"tenant\":\"../a\",\"role\":\"admin\",\"exp\":1800000100}",
         SECRET, ERR_INVALID_TOKEN},
        {HS256, "", SECRET, ERR_INVALID_TOKEN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CHECK_INT(verify(sign(cases[i].header, cases[i].claims, cases[i].secret)), -1);
        if (err.code != cases[i].code)
            fprintf(stderr, "case %zu: %s\n", i, err.detail);
        CHECK_INT(err.code, cases[i].code);
    }
}

static void bad_forms(void)
{
    char token[8192], longer[JWT_MAX_BYTES + 64];
    strcpy(token, sign(HS256, CLAIMS("\"exp\":1800000100"), SECRET));
    CHECK_INT(verify(token), 0);
    strcat(token, "=");
    CHECK_INT(verify(token), -1);
    token[strlen(token) - 1] = '\0';
    strcat(token, ".");
    CHECK_INT(verify(token), -1);
    strcat(token, "AAAA");
    CHECK_INT(verify(token), -1);
    CHECK_INT(err.code, ERR_INVALID_TOKEN);
    CHECK_INT(verify("a.b"), -1);
    CHECK_INT(verify(".."), -1);
    CHECK_INT(verify(""), -1);
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    CHECK_INT(verify(longer), -1);
    CHECK_INT(err.code, ERR_INVALID_TOKEN);
}

/* The last character of a 32-byte signature has two bits that must be zero. */
static void one_text_for_each_signature(void)
{
    char token[8192];
    strcpy(token, sign(HS256, CLAIMS("\"exp\":1800000100"), SECRET));
    char *last = &token[strlen(token) - 1];
    *last = (char)(*last + 1);
    CHECK_INT(verify(token), -1);
}

static void base64url_is_strict(void)
{
    uint8_t out[8];
    CHECK_INT(base64url_decode("_-8", 3, out, sizeof out), 2);
    CHECK(out[0] == 0xFF && out[1] == 0xEF);
    CHECK_INT(base64url_decode("", 0, out, sizeof out), 0);
    CHECK_INT(base64url_decode("_-8=", 4, out, sizeof out), -1);
    CHECK_INT(base64url_decode("+/8", 3, out, sizeof out), -1);
    CHECK_INT(base64url_decode("_-9", 3, out, sizeof out), -1); /* left-over bits */
    CHECK_INT(base64url_decode("A", 1, out, sizeof out), -1);
    CHECK_INT(base64url_decode("AA A", 4, out, sizeof out), -1);
    CHECK_INT(base64url_decode("AAAA", 4, out, 2), -1);
    char text[BASE64URL_LEN(4) + 1];
    base64url_encode((const uint8_t *)"\xff\xef\x01\x02", 4, text);
    CHECK_STR(text, "_-8BAg");
}

static void keys(void)
{
    /* SHA-256 of "abc". */
    const char *row =
        "ci:acme:viewer:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    struct strs rows = {&row, 1};
    struct auth *auth;
    CHECK_INT(auth_open(&auth, &rows, NULL, &err), 0);
    CHECK_INT(auth_check(auth, "Bearer abc", NOW, &arena, &who, &err), 0);
    CHECK_STR(who.name, "ci");
    CHECK_STR(who.tenant, "acme");
    CHECK_INT(who.role, ROLE_VIEWER);
    CHECK_INT(auth_check(auth, "bearer  abc", NOW, &arena, &who, &err), 0);
    CHECK_INT(auth_check(auth, NULL, NOW, &arena, &who, &err), -1);
    CHECK_INT(err.code, ERR_MISSING_CREDENTIALS);
    CHECK_INT(auth_check(auth, "Basic abc", NOW, &arena, &who, &err), -1);
    CHECK_INT(err.code, ERR_MISSING_CREDENTIALS);
    CHECK_INT(auth_check(auth, "Bearer abd", NOW, &arena, &who, &err), -1);
    CHECK_INT(err.code, ERR_INVALID_CREDENTIALS);
    CHECK_INT(auth_check(auth, "Bearer ", NOW, &arena, &who, &err), -1);
    CHECK_INT(err.code, ERR_INVALID_CREDENTIALS);
    const char *token =
        arena_printf(&arena, "Bearer %s", sign(HS256, CLAIMS("\"exp\":1800000100"), SECRET));
    CHECK_INT(auth_check(auth, token, NOW, &arena, &who, &err), -1);
    CHECK_INT(err.code, ERR_INVALID_TOKEN); /* no secret is set */
    auth_free(auth);
    CHECK_INT(auth_open(&auth, &rows, SECRET, &err), 0);
    CHECK_INT(auth_check(auth, token, NOW, &arena, &who, &err), 0);
    CHECK_STR(who.name, "me");
    auth_free(auth);
}

static void bad_rows(void)
{
    static const char *const rows[] = {
        "",
        "a:b:viewer",
        "a:b:root:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "a:b:viewer:ba7816bf",
        "a:b:viewer:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
        "a:b:viewer:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad:x",
        ":b:viewer:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *row = rows[i];
        struct auth *auth;
        CHECK_INT(auth_open(&auth, &(struct strs){&row, 1}, NULL, &err), -1);
        CHECK_INT(err.code, ERR_CONFIG);
    }
}

int main(void)
{
    RUN(good_token);
    RUN(bad_tokens);
    RUN(bad_forms);
    RUN(one_text_for_each_signature);
    RUN(base64url_is_strict);
    RUN(keys);
    RUN(bad_rows);
    arena_release(&arena);
    return 0;
}
