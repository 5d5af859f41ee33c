/* Who asks: API keys and JSON Web Tokens, from the Authorization header. */
#ifndef GATEWAY_AUTH_H
#define GATEWAY_AUTH_H

#include "gateway/request.h"
#include "proto/settings.h"

struct auth; /* unchanging once open: any thread */

/* keys: rows name:tenant:role:sha256 (hex, of the key); jwt_secret may be NULL: then no tokens are
 * taken. Every wrong row is a line in err's detail (ERR_CONFIG). The strings of the settings must
 * live as long. */
int auth_open(struct auth **out, const struct strs *keys, const char *jwt_secret, struct err *err);
void auth_free(struct auth *auth);

/* authorization: the header, or NULL. ERR_MISSING_CREDENTIALS, ERR_INVALID_CREDENTIALS,
 * ERR_INVALID_TOKEN, ERR_TOKEN_EXPIRED. A wrong and an unknown key cannot be told apart, by text or
 * time. */
int auth_check(const struct auth *auth, const char *authorization, int64_t now_s,
               struct arena *arena, struct identity *out, struct err *err);

#endif
