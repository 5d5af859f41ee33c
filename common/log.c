/* One line per event, JSON, to stderr: each line is one write(2), so that lines of several threads
 * never mix. */
#include "common/log.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/arena.h"
#include "common/clock.h"
#include "common/json_text.h"
#include "common/utf8.h"

enum { VALUE_MAX = 1000 };

static struct {
    const char *program;
    enum log_level level;
} settings = {"", LOG_INFO};

void log_open(const char *program, enum log_level level)
{
    settings.program = program;
    settings.level = level;
}

/* Replaces `len` bytes at `at` by one star. */
static void star(char *at, size_t len)
{
    if (len == 0)
        return;
    *at = '*';
    memmove(at + 1, at + len, strlen(at + len) + 1);
}

/* scheme://user:password@ … after "://". The authority ends at '/', '?' or '#'; the last '@' in it
 * counts. */
static void mask_password(char *authority)
{
    size_t len = strcspn(authority, "/?# \t\"'<>");
    char *colon = memchr(authority, ':', len), *at = memrchr(authority, '@', len);
    if (colon && at && colon < at)
        star(colon + 1, (size_t)(at - colon - 1));
}

/* /media/{expires}.{signature}/ … after "/media/". */
static void mask_media(char *expires)
{
    char *dot = expires + strspn(expires, "0123456789");
    if (dot > expires && *dot == '.')
        star(dot + 1, strcspn(dot + 1, "/?# \t\"'"));
}

static void mask_value(char *value)
{
    value += strspn(value, " ");
    star(value, strcspn(value, "&;, \t\"'"));
}

void log_mask(char *text)
{
    static const struct {
        const char *word;
        void (*mask)(char *after);
    } rules[] = {
        {"://", mask_password},      {"/media/", mask_media},
        {"bearer ", mask_value},     {"signature=", mask_value},
        {"credential=", mask_value}, {"security-token=", mask_value},
        {"x-api-key:", mask_value},  {"security-token:", mask_value},
    };
    /* Looks closely only where a word can begin: this runs over all that is logged. */
    for (char *at = text; (at = strpbrk(at, ":/bBsScCxX")); at++)
        for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
            if (tolower((unsigned char)*at) == rules[i].word[0] &&
                strncasecmp(at, rules[i].word, strlen(rules[i].word)) == 0)
                rules[i].mask(at + strlen(rules[i].word));
}

/* Masks before it cuts: half a URL would hide where its password ends. */
static void add_pair(struct text *line, const char *name, const char *value)
{
    char *copy = arena_strdup(line->arena, value);
    log_mask(copy);
    copy[utf8_floor(copy, strnlen(copy, VALUE_MAX))] = '\0';
    text_add(line, ",", 1);
    json_string(line, name);
    text_add(line, ":", 1);
    json_string(line, copy);
}

static void write_line(const char *line, size_t len)
{
    ssize_t n;
    do {
        n = write(STDERR_FILENO, line, len);
    } while (n < 0 && errno == EINTR);
    /* Nobody is left to tell when stderr is gone. */
}

void log_event(enum log_level level, const char *event, ...)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    if (level < settings.level)
        return;
    struct arena arena = {0};
    struct text line = {.arena = &arena};
    text_puts(&line, "{\"ts\":");
    json_time(&line, clock_now_ms());
    add_pair(&line, "level", levels[level]);
    add_pair(&line, "program", settings.program);
    text_puts(&line, ",\"pid\":");
    json_int(&line, getpid());
    add_pair(&line, "event", event);
    va_list args;
    va_start(args, event);
    for (const char *name; (name = va_arg(args, const char *));) {
        const char *value = va_arg(args, const char *);
        if (value)
            add_pair(&line, name, value);
    }
    va_end(args);
    text_add(&line, "}\n", 2);
    write_line(line.at, line.len);
    arena_release(&arena);
}
