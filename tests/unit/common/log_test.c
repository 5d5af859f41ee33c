/* Tests of common/log.c. */
#include "common/log.h"

#include <unistd.h>

#include "check.h"

/* What a call writes to stderr. */
static char written[65536];
static int saved, ends[2];

static void capture(void)
{
    fflush(stderr);
    saved = dup(STDERR_FILENO);
    CHECK_INT(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
}

static void captured(void)
{
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[1]);
    ssize_t n = read(ends[0], written, sizeof written - 1);
    close(ends[0]);
    written[n > 0 ? n : 0] = '\0';
}

static void a_line_is_json(void)
{
    log_open("test", LOG_INFO);
    capture();
    log_event(LOG_WARN, "request", "path", "/a\"b\n", "none", NULL, "url", "amqp://u:secret@h/",
              NULL);
    captured();
    CHECK(strncmp(written, "{\"ts\":\"", 7) == 0);
    char rest[256];
    snprintf(rest, sizeof rest,
             "\",\"level\":\"warn\",\"program\":\"test\",\"pid\":%d,\"event\":\"request\","
             "\"path\":\"/a\\\"b\\n\",\"url\":\"amqp://u:*@h/\"}\n",
             (int)getpid());
    CHECK_STR(written + 31, rest);
}

static void below_the_level_nothing_is_written(void)
{
    log_open("test", LOG_ERROR);
    capture();
    log_event(LOG_WARN, "quiet", NULL);
    captured();
    CHECK_STR(written, "");
}

static void a_value_is_cut_after_it_was_masked(void)
{
    char value[2000];
    memset(value, 'x', sizeof value);
    memcpy(value + 980, "http://user:", 12);
    memcpy(value + 1500, "@host", 6);
    log_open("test", LOG_DEBUG);
    capture();
    log_event(LOG_DEBUG, "long", "v", value, NULL);
    captured();
    CHECK(strstr(written, "http://user:*@host") != NULL);
    CHECK(strstr(written, "user:x") == NULL);
    memset(value, 'x', sizeof value);
    memcpy(value + 999, "\xE2\x82\xAC", 4);
    capture();
    log_event(LOG_DEBUG, "long", "v", value, NULL);
    captured();
    CHECK(strstr(written, "ufffd") == NULL);
}

static void secrets_are_masked(void)
{
    static const char *const rows[][2] = {
        {"mongodb://u:p@ss@h/db", "mongodb://u:*@h/db"},
        {"mongodb://h/db?x=a:b@c", "mongodb://h/db?x=a:b@c"},
        {"two amqp://a:b@c and http://d:eee@f", "two amqp://a:*@c and http://d:*@f"},
        {"x?X-Amz-Signature=abc&X-Amz-Credential=AK/x&x-amz-security-token=t t",
         "x?X-Amz-Signature=*&X-Amz-Credential=*&x-amz-security-token=* t"},
        {"Authorization: Bearer abc.def, z", "Authorization: Bearer *, z"},
        {"GET /media/1770156000.abcdef/projects/x", "GET /media/1770156000.*/projects/x"},
        {"/media/store", "/media/store"},
        {"X-Api-Key: k1", "X-Api-Key: *"},
        {"http://user@host/", "http://user@host/"},
        {"http://u:@host/", "http://u:@host/"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "%s", rows[i][0]);
        log_mask(text);
        CHECK_STR(text, rows[i][1]);
    }
}

int main(void)
{
    RUN(a_line_is_json);
    RUN(below_the_level_nothing_is_written);
    RUN(a_value_is_cut_after_it_was_masked);
    RUN(secrets_are_masked);
}
