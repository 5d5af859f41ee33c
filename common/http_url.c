/* URLs: parsed by libcurl only, and judged by their text. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "common/http_transfer.h"

static void curl_url_cleanup_at(CURLU **url)
{
    curl_url_cleanup(*url);
}

static void curl_free_at(char **text)
{
    curl_free(*text);
}

static bool has_forbidden_bytes(const char *url)
{
    for (const unsigned char *c = (const unsigned char *)url; *c; c++)
        if (*c <= ' ' || *c == 0x7f || *c == '\\')
            return true;
    return false;
}

static int judge_scheme(CURLU *url, struct err *err)
{
    CLEANUP(curl_free_at) char *scheme = NULL;
    if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
        return err_set(err, ERR_INVALID_URL, "the URL has no scheme");
    if (strcasecmp(scheme, "http") != 0 && strcasecmp(scheme, "https") != 0)
        return err_set(err, ERR_UNSUPPORTED_SCHEME, "'%.20s' is not http or https", scheme);
    return 0;
}

static int judge_absence(CURLU *url, CURLUPart part, const char *what, struct err *err)
{
    CLEANUP(curl_free_at) char *text = NULL;
    if (curl_url_get(url, part, &text, 0) == CURLUE_OK)
        return err_set(err, ERR_INVALID_URL, "the URL must not have %s", what);
    return 0;
}

static bool is_localhost(const char *host)
{
    static const char name[] = "localhost";
    size_t len = strlen(host), name_len = sizeof name - 1;
    while (len > 0 && host[len - 1] == '.')
        len--;
    if (len < name_len || strncasecmp(host + len - name_len, name, name_len) != 0)
        return false;
    return len == name_len || host[len - name_len - 1] == '.';
}

static int judge_port(CURLU *url, const struct http_policy *policy,
                      const struct http_address *address, struct err *err)
{
    CLEANUP(curl_free_at) char *port = NULL;
    if (curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK)
        return err_set(err, ERR_INVALID_URL, "the URL's port is not a number");
    if (!http_guard_port(policy, address, strtol(port, NULL, 10)))
        return err_set(err, ERR_FORBIDDEN_PORT, "port %s is not allowed", port);
    return 0;
}

static int judge_host_and_port(CURLU *url, const struct http_policy *policy, struct err *err)
{
    CLEANUP(curl_free_at) char *host = NULL;
    /* As it will be resolved: dots and digits of other scripts have become plain ones. */
    if (curl_url_get(url, CURLUPART_HOST, &host, CURLU_PUNYCODE) != CURLUE_OK || !*host)
        return err_set(err, ERR_INVALID_URL, "the URL's host is not a name or an address");
    struct http_address address;
    bool literal = http_guard_from_text(host, &address);
    if (!literal && is_localhost(host))
        literal = http_guard_from_text("127.0.0.1", &address);
    if (literal && !http_guard_address(policy, &address))
        return err_set(err, ERR_FORBIDDEN_ADDRESS, "'%.80s' is not a public address", host);
    return judge_port(url, policy, literal ? &address : NULL, err);
}

int http_parse_url(const char *text, const struct http_policy *policy, CURLU **out, struct err *err)
{
    if (strlen(text) > HTTP_URL_MAX)
        return err_set(err, ERR_URL_TOO_LONG, "the URL has more than %d bytes", HTTP_URL_MAX);
    if (has_forbidden_bytes(text))
        return err_set(err, ERR_INVALID_URL,
                       "the URL has a space, a control character or a backslash");
    CLEANUP(curl_url_cleanup_at) CURLU *url = curl_url();
    if (!url)
        abort();
    CURLUcode code =
        curl_url_set(url, CURLUPART_URL, text, CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME);
    if (code == CURLUE_BAD_SLASHES && strncasecmp(text, "http", 4) != 0) /* mailto:, data: */
        return err_set(err, ERR_UNSUPPORTED_SCHEME, "the URL's scheme is not http or https");
    if (code != CURLUE_OK)
        return err_set(err, ERR_INVALID_URL, "not a URL: %s", curl_url_strerror(code));
    if (judge_scheme(url, err) || judge_absence(url, CURLUPART_USER, "a user name", err) ||
        judge_absence(url, CURLUPART_PASSWORD, "a password", err) ||
        judge_absence(url, CURLUPART_ZONEID, "a zone id", err) ||
        judge_host_and_port(url, policy, err))
        return -1;
    *out = TAKE(url);
    return 0;
}

int http_check_url(const char *text, const struct http_policy *policy, struct err *err)
{
    CLEANUP(curl_url_cleanup_at) CURLU *url = NULL;
    return http_parse_url(text, policy, &url, err);
}

int http_resolve(const char *base, const char *location, struct arena *arena, const char **out,
                 struct err *err)
{
    CLEANUP(curl_url_cleanup_at) CURLU *url = curl_url();
    CLEANUP(curl_free_at) char *whole = NULL;
    if (!url)
        abort();
    if (strlen(location) > HTTP_URL_MAX)
        return err_set(err, ERR_URL_TOO_LONG, "the address has more than %d bytes", HTTP_URL_MAX);
    unsigned flags = CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME;
    if (curl_url_set(url, CURLUPART_URL, base, flags) != CURLUE_OK ||
        curl_url_set(url, CURLUPART_URL, location, flags) != CURLUE_OK)
        return err_set(err, ERR_INVALID_URL, "the address is not a URL");
    curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0);
    if (curl_url_get(url, CURLUPART_URL, &whole, 0) != CURLUE_OK)
        return err_set(err, ERR_INVALID_URL, "the address is not a URL");
    *out = arena_strdup(arena, whole);
    return 0;
}

int http_split(const char *text, struct arena *arena, const char **host_out, const char **path_out,
               struct err *err)
{
    CLEANUP(curl_url_cleanup_at) CURLU *url = NULL;
    CLEANUP(curl_free_at) char *host = NULL;
    CLEANUP(curl_free_at) char *port = NULL;
    CLEANUP(curl_free_at) char *path = NULL;
    if (http_parse_url(text, &(struct http_policy){0}, &url, err))
        return -1;
    if (curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_PATH, &path, 0) != CURLUE_OK)
        return err_set(err, ERR_INVALID_URL, "the URL has no host");
    bool other_port = curl_url_get(url, CURLUPART_PORT, &port, CURLU_NO_DEFAULT_PORT) == CURLUE_OK;
    *host_out = arena_printf(arena, "%s%s%s", host, other_port ? ":" : "", other_port ? port : "");
    *path_out = arena_strdup(arena, path);
    return 0;
}
