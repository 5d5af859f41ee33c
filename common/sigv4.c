/* Signature Version 4, as documented by AWS in "Authenticating Requests (AWS Signature Version 4)".
 */
#include "common/sigv4.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/clock.h"
#include "common/digest.h"

enum { BASIC_TIME_LEN = 16, DATE_LEN = 8 };

const char *sigv4_encode(const char *text, bool keep_slashes, struct arena *arena)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out = arena_alloc(arena, strlen(text) * 3 + 1), *to = out;
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        bool plain =
            (*c < 0x80 && isalnum(*c)) || strchr("-._~", *c) || (keep_slashes && *c == '/');
        if (plain) {
            *to++ = (char)*c;
            continue;
        }
        *to++ = '%';
        *to++ = hex[*c >> 4];
        *to++ = hex[*c & 15];
    }
    return out;
}

static int by_name_and_value(const void *a, const void *b)
{
    const struct sigv4_pair *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : strcmp(x->value, y->value);
}

const char *sigv4_query(const struct sigv4_pair *query, size_t len, struct arena *arena)
{
    struct sigv4_pair *pairs = arena_alloc_array(arena, len + 1, sizeof *pairs);
    struct text text = {.arena = arena};
    text_puts(&text, "");
    for (size_t i = 0; i < len; i++)
        pairs[i] = (struct sigv4_pair){sigv4_encode(query[i].name, false, arena),
                                       sigv4_encode(query[i].value, false, arena)};
    qsort(pairs, len, sizeof *pairs, by_name_and_value);
    for (size_t i = 0; i < len; i++)
        text_printf(&text, "%s%s=%s", i ? "&" : "", pairs[i].name, pairs[i].value);
    return text.at;
}

/* Trimmed, runs of white space as one blank. */
static const char *canonical_value(const char *value, struct arena *arena)
{
    char *out = arena_alloc(arena, strlen(value) + 1), *to = out;
    for (; *value; value++) {
        if (!isspace((unsigned char)*value))
            *to++ = *value;
        else if (to > out && to[-1] != ' ')
            *to++ = ' ';
    }
    if (to > out && to[-1] == ' ')
        *--to = '\0';
    return out;
}

static struct sigv4_pair *canonical_headers(const struct sigv4_request *request,
                                            struct arena *arena)
{
    struct sigv4_pair *headers =
        arena_alloc_array(arena, request->headers_len + 1, sizeof *headers);
    for (size_t i = 0; i < request->headers_len; i++) {
        char *name = arena_strdup(arena, request->headers[i].name);
        for (char *c = name; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        headers[i] = (struct sigv4_pair){name, canonical_value(request->headers[i].value, arena)};
    }
    qsort(headers, request->headers_len, sizeof *headers, by_name_and_value);
    return headers;
}

static const char *signed_headers(const struct sigv4_request *request, struct arena *arena)
{
    const struct sigv4_pair *headers = canonical_headers(request, arena);
    struct text text = {.arena = arena};
    for (size_t i = 0; i < request->headers_len; i++)
        text_printf(&text, "%s%s", i ? ";" : "", headers[i].name);
    return text.at;
}

const char *sigv4_canonical(const struct sigv4_request *request, struct arena *arena)
{
    const struct sigv4_pair *headers = canonical_headers(request, arena);
    struct text text = {.arena = arena};
    text_printf(&text, "%s\n%s\n%s\n", request->method, sigv4_encode(request->path, true, arena),
                sigv4_query(request->query, request->query_len, arena));
    for (size_t i = 0; i < request->headers_len; i++)
        text_printf(&text, "%s:%s\n", headers[i].name, headers[i].value);
    text_printf(&text, "\n%s\n%s", signed_headers(request, arena), request->payload_sha256);
    return text.at;
}

/* "20130524/us-east-1/s3/aws4_request" */
static const char *scope(const struct sigv4_key *key, const char *time, struct arena *arena)
{
    return arena_printf(arena, "%.*s/%s/%s/aws4_request", DATE_LEN, time, key->region,
                        key->service);
}

static void chain(uint8_t secret[DIGEST_LEN], const char *with)
{
    uint8_t next[DIGEST_LEN];
    digest_hmac_sha256(secret, sizeof next, with, strlen(with), next);
    memcpy(secret, next, sizeof next);
}

static const char *signature(const struct sigv4_key *key, const struct sigv4_request *request,
                             const char *time, struct arena *arena)
{
    const char *canonical = sigv4_canonical(request, arena);
    uint8_t secret[DIGEST_LEN];
    char hash[DIGEST_HEX_LEN + 1];
    digest_sha256(canonical, strlen(canonical), secret);
    digest_hex(secret, hash);
    const char *to_sign =
        arena_printf(arena, "AWS4-HMAC-SHA256\n%s\n%s\n%s", time, scope(key, time, arena), hash);
    const char *first = arena_printf(arena, "AWS4%s", key->secret_key);
    const char *date = arena_strndup(arena, time, DATE_LEN);
    digest_hmac_sha256(first, strlen(first), date, DATE_LEN, secret);
    chain(secret, key->region);
    chain(secret, key->service);
    chain(secret, "aws4_request");
    chain(secret, to_sign);
    digest_hex(secret, hash);
    return arena_strdup(arena, hash);
}

const char *sigv4_authorization(const struct sigv4_key *key, const struct sigv4_request *request,
                                struct arena *arena)
{
    char time[BASIC_TIME_LEN + 1];
    clock_format_basic(request->at_s, time);
    return arena_printf(arena, "AWS4-HMAC-SHA256 Credential=%s/%s,SignedHeaders=%s,Signature=%s",
                        key->access_key, scope(key, time, arena), signed_headers(request, arena),
                        signature(key, request, time, arena));
}

const char *sigv4_presign(const struct sigv4_key *key, const struct sigv4_request *request,
                          int64_t expires_s, struct arena *arena)
{
    enum { OWN = 5 };
    char time[BASIC_TIME_LEN + 1];
    clock_format_basic(request->at_s, time);
    size_t len = request->query_len + OWN;
    struct sigv4_pair *query = arena_alloc_array(arena, len, sizeof *query);
    const struct sigv4_pair own[OWN] = {
        {"X-Amz-Algorithm", "AWS4-HMAC-SHA256"},
        {"X-Amz-Credential",
         arena_printf(arena, "%s/%s", key->access_key, scope(key, time, arena))},
        {"X-Amz-Date", time},
        {"X-Amz-Expires", arena_printf(arena, "%lld", (long long)expires_s)},
        {"X-Amz-SignedHeaders", signed_headers(request, arena)},
    };
    memcpy(query, own, sizeof own);
    if (request->query_len > 0)
        memcpy(query + OWN, request->query, request->query_len * sizeof *query);
    struct sigv4_request whole = *request;
    whole.query = query;
    whole.query_len = len;
    whole.payload_sha256 = SIGV4_UNSIGNED;
    return arena_printf(arena, "%s&X-Amz-Signature=%s", sigv4_query(query, len, arena),
                        signature(key, &whole, time, arena));
}
