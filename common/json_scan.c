/* A strict look at a JSON text's tokens (RFC 8259, and UTF-8 as RFC 3629 has it), in one pass. */
#include "common/json_scan.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"

struct scanner {
    const char *json;
    size_t len, at;
    int depth;
    struct arena *arena;
    struct json_numbers numbers;
    struct err *err;
};

static int malformed(struct scanner *scanner, const char *what)
{
    return err_set(scanner->err, ERR_MALFORMED_JSON, "not JSON at byte %zu: %s", scanner->at, what);
}

/* Four hex digits; -1 if they are not there. */
static int32_t scan_hex4(struct scanner *scanner)
{
    int32_t code = 0;
    if (scanner->len - scanner->at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = scanner->json[scanner->at + (size_t)i];
        int32_t digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
        if (digit < 0)
            return -1;
        code = code << 4 | digit;
    }
    scanner->at += 4;
    return code;
}

static int scan_unicode(struct scanner *scanner)
{
    int32_t code = scan_hex4(scanner);
    if (code < 0)
        return malformed(scanner, "\\u wants four hex digits");
    if (code == 0)
        return err_set(scanner->err, ERR_INVALID_VALUE, "\\u0000 at byte %zu: no NUL in strings",
                       scanner->at);
    if (code < 0xD800 || code > 0xDFFF)
        return 0;
    bool paired = code < 0xDC00 && scanner->len - scanner->at >= 6 &&
                  memcmp(scanner->json + scanner->at, "\\u", 2) == 0;
    if (paired) {
        scanner->at += 2;
        int32_t low = scan_hex4(scanner);
        paired = low >= 0xDC00 && low <= 0xDFFF;
    }
    if (!paired)
        return err_set(scanner->err, ERR_INVALID_ENCODING, "half a surrogate pair at byte %zu",
                       scanner->at);
    return 0;
}

/* What strings are mostly made of. */
static bool is_plain(char c)
{
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

/* After the opening quote. */
static int scan_string(struct scanner *scanner)
{
    while (scanner->at < scanner->len) {
        const char *at = scanner->json + scanner->at;
        if (is_plain(*at)) {
            scanner->at++;
            continue;
        }
        size_t step = utf8_len(at, scanner->len - scanner->at);
        if (step == 0)
            return err_set(scanner->err, ERR_INVALID_ENCODING, "not UTF-8 at byte %zu",
                           scanner->at);
        if ((unsigned char)*at < 0x20)
            return malformed(scanner, "a control character in a string");
        scanner->at += step;
        if (*at == '"')
            return 0;
        if (*at != '\\')
            continue;
        if (scanner->at == scanner->len || !strchr("\"\\/bfnrtu", at[1]) || at[1] == '\0')
            return malformed(scanner, "an unknown escape");
        scanner->at++;
        if (at[1] == 'u' && scan_unicode(scanner) != 0)
            return -1;
    }
    return malformed(scanner, "a string does not end");
}

static size_t digits_at(const struct scanner *scanner, size_t at)
{
    size_t from = at;
    while (at < scanner->len && scanner->json[at] >= '0' && scanner->json[at] <= '9')
        at++;
    return at - from;
}

/* The character at `at`, or NUL after the end. */
static char peek(const struct scanner *scanner, size_t at)
{
    return at < scanner->len ? scanner->json[at] : '\0';
}

/* Where the number that begins here ends; 0 if it is none. */
static size_t number_end(const struct scanner *scanner)
{
    size_t at = scanner->at + (peek(scanner, scanner->at) == '-');
    size_t whole = digits_at(scanner, at);
    if (whole == 0 || (whole > 1 && scanner->json[at] == '0'))
        return 0;
    at += whole;
    if (peek(scanner, at) == '.') {
        size_t fraction = digits_at(scanner, ++at);
        if (fraction == 0)
            return 0;
        at += fraction;
    }
    if (peek(scanner, at) == 'e' || peek(scanner, at) == 'E') {
        at++;
        at += peek(scanner, at) == '+' || peek(scanner, at) == '-';
        size_t exponent = digits_at(scanner, at);
        if (exponent == 0)
            return 0;
        at += exponent;
    }
    char after = peek(scanner, at);
    return after != '\0' && strchr("+-.eE", after) ? 0 : at;
}

static int scan_number(struct scanner *scanner)
{
    struct json_numbers *numbers = &scanner->numbers;
    size_t end = number_end(scanner);
    if (end == 0)
        return malformed(scanner, "not a number");
    if (end - scanner->at > JSON_NUMBER_MAX)
        return err_set(scanner->err, ERR_OUT_OF_RANGE,
                       "the number at byte %zu has more than %d characters", scanner->at,
                       JSON_NUMBER_MAX);
    if (numbers->len == numbers->room) {
        size_t room = numbers->room ? numbers->room * 2 : 16;
        struct json_number *at = arena_alloc_array(scanner->arena, room, sizeof *at);
        if (numbers->len > 0)
            memcpy(at, numbers->at, numbers->len * sizeof *at);
        numbers->at = at;
        numbers->room = room;
    }
    numbers->at[numbers->len++] =
        (struct json_number){scanner->json + scanner->at, end - scanner->at};
    scanner->at = end;
    return 0;
}

static int scan_word(struct scanner *scanner)
{
    static const char *const words[] = {"true", "false", "null"};
    const char *at = scanner->json + scanner->at;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t len = strlen(words[i]);
        if (scanner->len - scanner->at >= len && memcmp(at, words[i], len) == 0) {
            scanner->at += len;
            return 0;
        }
    }
    if (utf8_len(at, scanner->len - scanner->at) == 0)
        return err_set(scanner->err, ERR_INVALID_ENCODING, "not UTF-8 at byte %zu", scanner->at);
    return malformed(scanner, "no value begins like that");
}

static int scan_token(struct scanner *scanner)
{
    char c = scanner->json[scanner->at];
    switch (c) {
    case '{':
    case '[':
        if (++scanner->depth > JSON_DEPTH_MAX)
            return err_set(scanner->err, ERR_JSON_TOO_DEEP, "deeper than %d levels at byte %zu",
                           JSON_DEPTH_MAX, scanner->at);
        break;
    case '}':
    case ']':
        scanner->depth--;
        break;
    case '"':
        scanner->at++;
        return scan_string(scanner);
    case ' ':
    case '\t':
    case '\n':
    case '\r':
    case ',':
    case ':':
        break;
    default:
        return c == '-' || (c >= '0' && c <= '9') ? scan_number(scanner) : scan_word(scanner);
    }
    scanner->at++;
    return 0;
}

int json_scan(const char *json, size_t len, struct arena *arena, struct json_numbers *out,
              struct err *err)
{
    struct scanner scanner = {.json = json, .len = len, .arena = arena, .err = err};
    while (scanner.at < len)
        if (scan_token(&scanner) != 0)
            return -1;
    *out = scanner.numbers;
    return 0;
}

/* Ended by NUL, for the library's functions. */
static void spell(const struct json_number *number, char out[JSON_NUMBER_MAX + 1])
{
    memcpy(out, number->at, number->len);
    out[number->len] = '\0';
}

bool json_number_int(const struct json_number *number, int64_t *out)
{
    char text[JSON_NUMBER_MAX + 1];
    double value;
    spell(number, text);
    if (!strpbrk(text, ".eE")) {
        errno = 0;
        intmax_t whole = strtoimax(text, NULL, 10);
        if (errno != 0 || whole > INT64_MAX || whole < INT64_MIN)
            return false;
        *out = (int64_t)whole;
        return true;
    }
    /* 1.0 and 1e3 are integers, too, as long as a double tells so for certain. */
    if (!json_number_double(number, &value) || fabs(value) > 9007199254740992.0 ||
        value != floor(value))
        return false;
    *out = (int64_t)value;
    return true;
}

bool json_number_double(const struct json_number *number, double *out)
{
    char text[JSON_NUMBER_MAX + 1];
    spell(number, text);
    double value = strtod(text, NULL);
    if (!isfinite(value))
        return false;
    *out = value;
    return true;
}
