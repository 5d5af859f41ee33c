/* JSON Web Tokens, HS256 only: the algorithm is ours, never the token's choice. */
#ifndef GATEWAY_JWT_H
#define GATEWAY_JWT_H

#include "common/arena.h"
#include "common/err.h"
#include "proto/route.h"

enum { JWT_MAX_BYTES = 4096, JWT_SKEW_S = 60, JWT_LIFE_MAX_S = 86400 };

struct jwt_claims {
    const char *sub, *tenant;
    enum role role;
    int64_t exp, nbf, iat; /* seconds since 1970 */
};

/* Exactly three parts, strict base64url, a good signature, exp at most 24 h ahead, nbf and iat with
 * 60 s of skew. ERR_INVALID_TOKEN, ERR_TOKEN_EXPIRED. The claims' strings are the arena's. */
int jwt_verify(const char *token, size_t len, const char *secret, int64_t now_s,
               struct arena *arena, struct jwt_claims *out, struct err *err);

#endif
