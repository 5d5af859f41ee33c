/* URLs judged by their text, and resolved. */
#include "check.h"
#include "common/http.h"

static void urls_are_judged(void)
{
    static char long_url[9000] = "http://example.com/";
    memset(long_url + 19, 'a', sizeof long_url - 20);
    static const struct {
        const char *url;
        enum error code;
    } rows[] = {
        {"http://example.com/a.mp4?x=1#f", ERR_NONE},
        {"HTTPS://Example.COM/", ERR_NONE},
        {"http://example.com:443/", ERR_NONE},
        {"http://8.8.8.8/", ERR_NONE},
        {"http://example.com/\xc3\xa9", ERR_NONE},
        {"http://localhost.example.com/", ERR_NONE},
        {"http://notlocalhost/", ERR_NONE},
        {"ftp://example.com/", ERR_UNSUPPORTED_SCHEME},
        {"file:///etc/passwd", ERR_UNSUPPORTED_SCHEME},
        {"gopher://example.com/", ERR_UNSUPPORTED_SCHEME},
        {"data:text/plain,x", ERR_UNSUPPORTED_SCHEME},
        {"http://127.0.0.1/", ERR_FORBIDDEN_ADDRESS},
        {"http://localhost/", ERR_FORBIDDEN_ADDRESS},
        {"http://LOCALHOST./", ERR_FORBIDDEN_ADDRESS},
        {"http://a.localhost/", ERR_FORBIDDEN_ADDRESS},
        {"http://[::1]/", ERR_FORBIDDEN_ADDRESS},
        {"http://0.0.0.0/", ERR_FORBIDDEN_ADDRESS},
        {"http://2130706433/", ERR_FORBIDDEN_ADDRESS},
        {"http://0x7f.1/", ERR_FORBIDDEN_ADDRESS},
        {"http://0177.0.0.1/", ERR_FORBIDDEN_ADDRESS},
        {"http://127.1/", ERR_FORBIDDEN_ADDRESS},
        {"http://127.0.0.1./", ERR_FORBIDDEN_ADDRESS},
        {"http://127%2e0%2e0%2e1/", ERR_FORBIDDEN_ADDRESS},
        {"http://%31%32%37.0.0.1/", ERR_FORBIDDEN_ADDRESS},
        {"http://[::ffff:169.254.169.254]/", ERR_FORBIDDEN_ADDRESS},
        {"http://[64:ff9b::7f00:1]/", ERR_FORBIDDEN_ADDRESS},
        {"http://[fe80::1%25eth0]/", ERR_INVALID_URL},
        {"http://user@example.com/", ERR_INVALID_URL},
        {"http://user:secret@example.com/", ERR_INVALID_URL},
        {"http://:secret@example.com/", ERR_INVALID_URL},
        {"http://good.com@127.0.0.1/", ERR_INVALID_URL},
        {"http://example.com/a b", ERR_INVALID_URL},
        {" http://example.com/", ERR_INVALID_URL},
        {"http://example.com/\t", ERR_INVALID_URL},
        {"http://example.com/\r\nX: y", ERR_INVALID_URL},
        {"http://example.com\\@127.0.0.1/", ERR_INVALID_URL},
        {"http://", ERR_INVALID_URL},
        {"example.com", ERR_INVALID_URL},
        {"//example.com/", ERR_INVALID_URL},
        {"", ERR_INVALID_URL},
        {"-", ERR_INVALID_URL},
        {"--exec=rm", ERR_INVALID_URL},
        {"http://example.com:99999/", ERR_INVALID_URL},
        {"http://example.com:x/", ERR_INVALID_URL},
        {"http://example.com:22/", ERR_FORBIDDEN_PORT},
        {"http://example.com:25/", ERR_FORBIDDEN_PORT},
        {"http://example.com:6379/", ERR_FORBIDDEN_PORT},
        {long_url, ERR_URL_TOO_LONG},
    };
    struct http_policy policy = {.guarded = true};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};
        int failed = http_check_url(rows[i].url, &policy, &err);
        if (err.code != rows[i].code || failed != (rows[i].code ? -1 : 0)) {
            fprintf(stderr, "'%.60s': %s (%s), not %s\n", rows[i].url, error_name(err.code),
                    err.detail, error_name(rows[i].code));
            CHECK(false);
        }
    }
}

/* Dots and digits of other scripts: refused, either as an address or as a host that is none. */
static void other_scripts_do_not_hide_an_address(void)
{
    static const char *const urls[] = {"http://127\xe3\x80\x82"
                                       "0.0.1/",
                                       "http://\xef\xbc\x91"
                                       "27.0.0.1/",
                                       "http://\xe2\x91\xa0"
                                       "27.0.0.1/"};
    struct http_policy policy = {.guarded = true};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct err err = {0};
        CHECK_INT(http_check_url(urls[i], &policy, &err), -1);
    }
}

static void an_unguarded_policy_still_refuses_what_is_no_url(void)
{
    struct http_policy policy = {0};
    struct err err = {0};
    CHECK_INT(http_check_url("http://127.0.0.1:9000/", &policy, &err), 0);
    CHECK_INT(http_check_url("http://a:b@127.0.0.1:9000/", &policy, &err), -1);
    CHECK(!strstr(err.detail, "a:b"));
}

static void locations_are_resolved(void)
{
    static const struct {
        const char *location, *url;
    } rows[] = {
        {"/x", "http://h/x"},
        {"x?y=1", "http://h/a/x?y=1"},
        {"//other/x", "http://other/x"},
        {"https://o/", "https://o/"},
        {"../up#part", "http://h/up"},
        {"a b\xc3\xa9", "http://h/a/a%20b%c3%a9"},
        {"file:///etc/passwd", "file:///etc/passwd"},
        {"http://127.0.0.1/", "http://127.0.0.1/"},
    };
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *out = NULL;
        struct err err = {0};
        CHECK_INT(http_resolve("http://h/a/b?q=1", rows[i].location, &arena, &out, &err), 0);
        CHECK_STR(out, rows[i].url);
    }
    arena_release(&arena);
}

static void the_host_header_is_known(void)
{
    struct arena arena = {0};
    struct err err = {0};
    const char *host, *path;
    CHECK_INT(http_split("http://s3.local:9000/base/", &arena, &host, &path, &err), 0);
    CHECK_STR(host, "s3.local:9000");
    CHECK_STR(path, "/base/");
    CHECK_INT(http_split("https://s3.local:443", &arena, &host, &path, &err), 0);
    CHECK_STR(host, "s3.local");
    CHECK_STR(path, "/");
    CHECK_INT(http_split("s3.local", &arena, &host, &path, &err), -1);
    arena_release(&arena);
}

int main(void)
{
    RUN(urls_are_judged);
    RUN(other_scripts_do_not_hide_an_address);
    RUN(an_unguarded_policy_still_refuses_what_is_no_url);
    RUN(locations_are_resolved);
    RUN(the_host_header_is_known);
    return 0;
}
