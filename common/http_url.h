/* URLs: parsed by libcurl only, judged by their text, resolved and taken apart. */
#ifndef COMMON_HTTP_URL_H
#define COMMON_HTTP_URL_H

#include "common/arena.h"
#include "common/http_guard.h"

enum { HTTP_URL_MAX = 8192 };

/* Judges a URL by its text: scheme http or https, no userinfo, no control characters, spaces or
 * backslash, port and literal address allowed by the policy; every spelling of an address (decimal,
 * octal, hex, short, mapped) counts. Codes: ERR_UNSUPPORTED_SCHEME, _INVALID_URL, _FORBIDDEN_PORT,
 * _FORBIDDEN_ADDRESS, _URL_TOO_LONG (8,192). */
int http_check_url(const char *url, const struct http_policy *policy, struct err *err);
/* `location` relative to `base`, as an absolute URL of any scheme; spaces and raw UTF-8 become
 * percent codes. */
int http_resolve(const char *base, const char *location, struct arena *arena, const char **out,
                 struct err *err);
/* The Host header that a request to `url` sends, and its path without query. ERR_INVALID_URL. */
int http_split(const char *url, struct arena *arena, const char **host, const char **path,
               struct err *err);

#endif
