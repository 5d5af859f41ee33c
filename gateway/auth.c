/* A key is compared by its digest with every row, so that the time tells nothing. */
#include "gateway/auth.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/digest.h"
#include "gateway/jwt.h"
#include "proto/file_path.h"

enum { KEY_MAX = 256, COLUMNS = 4 };

struct key {
    struct identity who;
    uint8_t digest[DIGEST_LEN];
};
struct auth {
    struct arena arena;
    struct key *keys;
    size_t len;
    const char *jwt_secret;
};

static enum role role_of(const char *name)
{
    for (unsigned i = 1; role_names[i]; i++)
        if (strcmp(role_names[i], name) == 0)
            return (enum role)i;
    return ROLE_NONE;
}

static bool parse_digest(const char *hex, uint8_t out[DIGEST_LEN])
{
    static const char digits[] = "0123456789abcdef";
    if (strlen(hex) != DIGEST_HEX_LEN || strspn(hex, digits) != DIGEST_HEX_LEN)
        return false;
    for (size_t i = 0; i < DIGEST_LEN; i++)
        out[i] = (uint8_t)((strchr(digits, hex[2 * i]) - digits) * 16 +
                           (strchr(digits, hex[2 * i + 1]) - digits));
    return true;
}

/* The row itself is not shown: a key pasted in place of its digest must not end up in a log. */
static int parse_row(struct auth *auth, size_t i, const char *row, struct err *err)
{
    char *columns[COLUMNS], *at = arena_strdup(&auth->arena, row);
    struct key *key = &auth->keys[i];
    const char *why;
    for (size_t column = 0; column < COLUMNS; column++) {
        columns[column] = strsep(&at, ":");
        if (!columns[column])
            return err_set(err, ERR_CONFIG, "API key %zu: must be name:tenant:role:sha256", i + 1);
    }
    key->who = (struct identity){columns[0], columns[1], role_of(columns[2])};
    if (ident_check(columns[0], &why) != ERR_NONE || ident_check(columns[1], &why) != ERR_NONE)
        return err_set(err, ERR_CONFIG, "API key %zu: name or tenant is not [A-Za-z0-9._-]{1,128}",
                       i + 1);
    if (key->who.role == ROLE_NONE)
        return err_set(err, ERR_CONFIG, "API key %zu: the role is not viewer, operator or admin",
                       i + 1);
    if (at || !parse_digest(columns[3], key->digest))
        return err_set(err, ERR_CONFIG, "API key %zu: the digest is not 64 lower case hex digits",
                       i + 1);
    return 0;
}

int auth_open(struct auth **out, const struct strs *keys, const char *jwt_secret, struct err *err)
{
    struct auth *auth = calloc(1, sizeof *auth);
    if (!auth)
        abort();
    auth->keys = arena_alloc_array(&auth->arena, keys->len + 1, sizeof *auth->keys);
    auth->len = keys->len;
    auth->jwt_secret = jwt_secret;
    for (size_t i = 0; i < keys->len; i++) {
        if (parse_row(auth, i, keys->at[i], err)) {
            auth_free(auth);
            return -1;
        }
    }
    *out = auth;
    return 0;
}

void auth_free(struct auth *auth)
{
    if (!auth)
        return;
    arena_release(&auth->arena);
    free(auth);
}

static int check_key(const struct auth *auth, const char *key, struct identity *out,
                     struct err *err)
{
    uint8_t digest[DIGEST_LEN];
    const struct key *found = NULL;
    digest_sha256(key, strnlen(key, KEY_MAX), digest);
    for (size_t i = 0; i < auth->len; i++)
        if (digest_equal(auth->keys[i].digest, digest, DIGEST_LEN))
            found = &auth->keys[i];
    if (!found || strlen(key) > KEY_MAX)
        return err_set(err, ERR_INVALID_CREDENTIALS, "the API key is not known");
    *out = found->who;
    return 0;
}

static int check_token(const struct auth *auth, const char *token, int64_t now_s,
                       struct arena *arena, struct identity *out, struct err *err)
{
    struct jwt_claims claims;
    if (!auth->jwt_secret)
        return err_set(err, ERR_INVALID_TOKEN, "no tokens are taken here");
    if (jwt_verify(token, strlen(token), auth->jwt_secret, now_s, arena, &claims, err))
        return -1;
    *out = (struct identity){claims.sub, claims.tenant, claims.role};
    return 0;
}

int auth_check(const struct auth *auth, const char *authorization, int64_t now_s,
               struct arena *arena, struct identity *out, struct err *err)
{
    static const char scheme[] = "Bearer ";
    const size_t scheme_len = sizeof scheme - 1;
    if (!authorization || strncasecmp(authorization, scheme, scheme_len) != 0)
        return err_set(err, ERR_MISSING_CREDENTIALS,
                       "send 'Authorization: Bearer <API key or token>'");
    const char *secret = authorization + scheme_len;
    secret += strspn(secret, " ");
    /* Keys have no dots; tokens have two. */
    if (strchr(secret, '.'))
        return check_token(auth, secret, now_s, arena, out, err);
    return check_key(auth, secret, out, err);
}
