/* One parameter at a time, each by its row. */
#include "gateway/query.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool is_text(const char *at, size_t len)
{
    for (size_t i = 0, step; i < len; i += step) {
        step = utf8_len(at + i, len - i);
        if (step == 0 || (unsigned char)at[i] < ' ' || at[i] == 0x7F)
            return false;
    }
    return true;
}

const char *query_unescape(struct arena *arena, const char *at, size_t len, bool plus)
{
    char *out = arena_strndup(arena, at, len);
    size_t to = 0;
    for (size_t from = 0; from < len; from++) {
        char c = at[from];
        if (c == '%') {
            int high = from + 2 < len ? hex_digit(at[from + 1]) : -1;
            int low = high >= 0 ? hex_digit(at[from + 2]) : -1;
            if (low < 0)
                return NULL;
            c = (char)(high * 16 + low);
            from += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        out[to++] = c;
    }
    out[to] = '\0';
    return is_text(out, to) ? out : NULL;
}

/* Fails with a pointer to the parameter. */
static int refuse(struct err *err, enum error code, const struct field *field, const char *why)
{
    err_set(err, code, "%s: %s", field->name, why);
    snprintf(err->pointer, sizeof err->pointer, "/%s", field->name);
    return -1;
}

static int out_of_range(struct err *err, const struct field *field, const char *what)
{
    char why[96];
    snprintf(why, sizeof why, "%s must be %" PRId64 " to %" PRId64, what, field->min, field->max);
    return refuse(err, ERR_OUT_OF_RANGE, field, why);
}

static bool within(const struct field *field, int64_t value)
{
    return (field->min == 0 || value >= field->min) && (field->max == 0 || value <= field->max);
}

static int set_text(const struct field *field, const char *value, const char **out, struct err *err)
{
    const char *why = "is not valid";
    enum error code = field->check ? field->check(value, &why) : ERR_NONE;
    if (!within(field, (int64_t)strlen(value)))
        return out_of_range(err, field, "its length");
    if (code != ERR_NONE)
        return refuse(err, code, field, why);
    *out = value;
    return 0;
}

static int set_integer(const struct field *field, const char *value, int64_t *out, struct err *err)
{
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (*value == '\0' || *end != '\0' || strspn(value, "-0123456789") != strlen(value))
        return refuse(err, ERR_OUT_OF_RANGE, field, "is not a whole number");
    if (errno || !within(field, number))
        return out_of_range(err, field, "it");
    *out = number;
    return 0;
}

static int set_enum(const struct field *field, const char *value, unsigned *out, struct err *err)
{
    *out = field_enum(field, value);
    return *out ? 0 : refuse(err, ERR_INVALID_FORMAT, field, "is none of the known words");
}

static int set_bool(const struct field *field, const char *value, bool *out, struct err *err)
{
    *out = strcmp(value, "true") == 0;
    if (*out || strcmp(value, "false") == 0)
        return 0;
    return refuse(err, ERR_INVALID_FORMAT, field, "is true or false");
}

static int set_field(const struct field *field, const char *value, void *object, struct err *err)
{
    void *member = (char *)object + field->offset;
    switch (field->type) {
    case TYPE_STR:
        return set_text(field, value, member, err);
    case TYPE_BOOL:
        return set_bool(field, value, member, err);
    case TYPE_INT64:
        return set_integer(field, value, member, err);
    case TYPE_ENUM:
        return set_enum(field, value, member, err);
    default:
        return err_set(err, ERR_INTERNAL, "%s cannot be given in a query", field->name);
    }
}

static int take(const struct doc *doc, const char *at, size_t len, struct arena *arena, void *out,
                struct err *err)
{
    const char *equals = memchr(at, '=', len);
    size_t name_len = equals ? (size_t)(equals - at) : len;
    const char *name = query_unescape(arena, at, name_len, true);
    const char *value = equals ? query_unescape(arena, equals + 1, len - name_len - 1, true) : "";
    if (!name || !value)
        return err_set(err, ERR_INVALID_ENCODING, "the query string is not percent-encoded UTF-8");
    const struct field *field = doc_field(doc, name);
    if (!field)
        return err_set(err, ERR_UNKNOWN_FIELD, "the query has no parameter '%.64s'", name);
    if (!field_absent(field, out))
        return refuse(err, ERR_DUPLICATE_KEY, field, "is given twice");
    return set_field(field, value, out, err);
}

int query_decode(const struct doc *doc, const char *query, struct arena *arena, void *out,
                 struct err *err)
{
    memset(out, 0, doc->size);
    while (query && *query) {
        size_t len = strcspn(query, "&");
        if (len > 0 && take(doc, query, len, arena, out, err))
            return -1;
        query += len + (query[len] == '&');
    }
    return 0;
}
