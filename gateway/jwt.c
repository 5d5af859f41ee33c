/* The signature first: nothing of an unsigned token is parsed. */
#include "gateway/jwt.h"

#include <string.h>

#include "common/digest.h"
#include "common/doc_json.h"
#include "gateway/base64url.h"
#include "proto/file_path.h"

struct jwt_header {
    const char *alg, *typ;
    struct strs crit;
};
static const struct field header_fields[] = {
    FIELD(jwt_header, alg, .flags = FIELD_REQUIRED, .text = "HS256."),
    FIELD(jwt_header, typ, .text = "JWT."),
    FIELD(jwt_header, crit, .text = "What must be understood (RFC 7515, 4.1.11): nothing is."),
};
static const struct doc jwt_header_doc = DOC(jwt_header, header_fields);

static const struct field claims_fields[] = {
    FIELD(jwt_claims, sub, .flags = FIELD_REQUIRED, .min = 1, .max = IDENT_MAX, .text = "Who."),
    FIELD(jwt_claims, tenant, .flags = FIELD_REQUIRED, .min = 1, .max = IDENT_MAX,
          .check = ident_check, .text = "Whose."),
    FIELD(jwt_claims, role, .flags = FIELD_REQUIRED, .names = role_names,
          .text = "What may be done."),
    FIELD(jwt_claims, exp, .flags = FIELD_REQUIRED, .text = "Until when."),
    FIELD(jwt_claims, nbf, .text = "From when."),
    FIELD(jwt_claims, iat, .text = "When it was made."),
};
static const struct doc jwt_claims_doc = DOC(jwt_claims, claims_fields);

struct part {
    const char *at;
    size_t len;
};

static int invalid(struct err *err, const char *why)
{
    return err_set(err, ERR_INVALID_TOKEN, "the token is not valid: %s", why);
}

static int split(const char *token, size_t len, struct part parts[3], struct err *err)
{
    size_t count = 0;
    const char *at = token, *end = token + len;
    if (len > JWT_MAX_BYTES)
        return invalid(err, "it is longer than 4096 bytes");
    for (;;) {
        const char *dot = memchr(at, '.', (size_t)(end - at));
        if (count == 3)
            return invalid(err, "it has not exactly 3 parts");
        parts[count++] = (struct part){at, (size_t)((dot ? dot : end) - at)};
        if (!dot)
            break;
        at = dot + 1;
    }
    return count == 3 ? 0 : invalid(err, "it has not exactly 3 parts");
}

static bool signature_holds(const char *token, const struct part parts[3], const char *secret)
{
    uint8_t is[DIGEST_LEN] = {0}, should[DIGEST_LEN];
    size_t signed_len = parts[0].len + 1 + parts[1].len;
    digest_hmac_sha256(secret, strlen(secret), token, signed_len, should);
    ptrdiff_t len = base64url_decode(parts[2].at, parts[2].len, is, sizeof is);
    return digest_equal(is, should, DIGEST_LEN) && len == DIGEST_LEN;
}

static int decode(struct part part, const struct doc *doc, struct arena *arena, void *out,
                  struct err *err)
{
    struct err why = {0};
    uint8_t *json = arena_alloc(arena, part.len + 1);
    ptrdiff_t len = base64url_decode(part.at, part.len, json, part.len);
    if (len < 0)
        return invalid(err, "it is not base64url");
    if (doc_json_decode(doc, (const char *)json, (size_t)len, DOC_JSON_LENIENT, arena, out, &why))
        return invalid(err, why.detail);
    return 0;
}

static int check_times(const struct jwt_claims *claims, int64_t now_s, struct err *err)
{
    if (claims->exp <= now_s)
        return err_set(err, ERR_TOKEN_EXPIRED, "the token has expired");
    if (claims->exp - now_s > JWT_LIFE_MAX_S)
        return invalid(err, "it is valid for more than 24 h");
    if (claims->nbf > now_s + JWT_SKEW_S || claims->iat > now_s + JWT_SKEW_S)
        return invalid(err, "it is not valid yet");
    return 0;
}

int jwt_verify(const char *token, size_t len, const char *secret, int64_t now_s,
               struct arena *arena, struct jwt_claims *out, struct err *err)
{
    struct part parts[3];
    struct jwt_header header;
    struct jwt_claims claims;
    if (split(token, len, parts, err))
        return -1;
    if (!signature_holds(token, parts, secret))
        return invalid(err, "its signature is wrong");
    if (decode(parts[0], &jwt_header_doc, arena, &header, err))
        return -1;
    if (strcmp(header.alg, "HS256") != 0)
        return invalid(err, "its algorithm is not HS256");
    if (header.crit.len)
        return invalid(err, "it needs an extension");
    if (decode(parts[1], &jwt_claims_doc, arena, &claims, err) || check_times(&claims, now_s, err))
        return -1;
    *out = claims;
    return 0;
}
