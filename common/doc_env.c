/* Settings: one walk over the table for each of reading, --help and the README. */
#include "common/doc_env.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct reader {
    struct arena *arena;
    struct text *problems;
    size_t count;
};

static const char separators[] = ", \t\r\n";

/* --- reading --- */

/* One line about a variable. `value` is shown, unless it is a secret. */
static void report(struct reader *reader, const struct field *field, const char *value,
                   const char *what)
{
    reader->count++;
    text_printf(reader->problems, "%s: %s", field->name, what);
    if (field->flags & FIELD_SECRET || !value) {
        text_puts(reader->problems, "\n");
        return;
    }
    char *shown = arena_strndup(reader->arena, value, strnlen(value, 100));
    err_clean(shown);
    text_printf(reader->problems, ", is '%s'\n", shown);
}

/* "5 to 3600", "at least 5"; whole numbers of settings are never negative. NULL if there are no
 * bounds. */
static const char *bounds(const struct field *field, struct arena *arena)
{
    if (field->max != 0)
        return arena_printf(arena, "%" PRId64 " to %" PRId64, field->min, field->max);
    return field->min ? arena_printf(arena, "at least %" PRId64, field->min) : NULL;
}

static bool outside(const struct field *field, int64_t value)
{
    return value < field->min || (field->max != 0 && value > field->max);
}

static void read_string(struct reader *reader, const struct field *field, const char *value,
                        const char **out)
{
    const char *why = NULL;
    if (field->check && field->check(value, &why) != ERR_NONE)
        report(reader, field, value, why ? why : "is not valid");
    else if (field->type == TYPE_STR && outside(field, (int64_t)strlen(value)))
        report(reader, field, value,
               arena_printf(reader->arena, "must have %s bytes", bounds(field, reader->arena)));
    else
        *out = arena_strdup(reader->arena, value);
}

static void read_bool(struct reader *reader, const struct field *field, const char *value,
                      bool *out)
{
    static const char *const words[] = {"false", "true", "0", "1", "no", "yes", "off", "on"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(value, words[i]) == 0) {
            *out = i % 2;
            return;
        }
    }
    report(reader, field, value, "must be true or false");
}

static void read_int(struct reader *reader, const struct field *field, const char *value,
                     int64_t *out)
{
    char *end;
    errno = 0;
    intmax_t number = strtoimax(value, &end, 10);
    bool spelled = isdigit((unsigned char)value[0]) && *end == '\0' && errno == 0;
    const char *range = bounds(field, reader->arena);
    if (!spelled || outside(field, number))
        report(reader, field, value,
               arena_printf(reader->arena, "must be %s", range ? range : "a whole number"));
    else
        *out = number;
}

static void read_double(struct reader *reader, const struct field *field, const char *value,
                        double *out)
{
    char *end;
    errno = 0;
    double number = strtod(value, &end);
    bool inside = number >= (double)field->min && (!field->max || number <= (double)field->max);
    const char *range = bounds(field, reader->arena);
    if (!isdigit((unsigned char)value[0]) || *end != '\0' || errno != 0 || !inside)
        report(reader, field, value,
               arena_printf(reader->arena, "must be %s", range ? range : "a number"));
    else
        *out = number;
}

static const char *join(const char *const *names, const char *between, struct arena *arena)
{
    struct text text = {.arena = arena};
    text_puts(&text, "");
    for (size_t i = 1; names[i]; i++)
        text_printf(&text, "%s%s", i > 1 ? between : "", names[i]);
    return text.at;
}

static void read_enum(struct reader *reader, const struct field *field, const char *value,
                      unsigned *out)
{
    unsigned found = field_enum(field, value);
    if (found == 0)
        report(reader, field, value,
               arena_printf(reader->arena, "must be one of %s",
                            join(field->names, ", ", reader->arena)));
    else
        *out = found;
}

static size_t count_words(const char *value)
{
    size_t count = 0;
    for (value += strspn(value, separators); *value; value += strspn(value, separators)) {
        count++;
        value += strcspn(value, separators);
    }
    return count;
}

static void read_list(struct reader *reader, const struct field *field, const char *value,
                      void *member)
{
    size_t len = count_words(value), before = reader->count;
    if (outside(field, (int64_t)len)) {
        report(reader, field, value,
               arena_printf(reader->arena, "must have %s items", bounds(field, reader->arena)));
        return;
    }
    struct field element = *field;
    element.min = element.max = 0;
    bool strings = field->type == TYPE_STRS;
    size_t size = strings ? sizeof(char *) : sizeof(int64_t);
    struct list list = {.at = arena_alloc_array(reader->arena, len, size), .len = len};
    for (size_t i = 0; i < len; i++) {
        value += strspn(value, separators);
        const char *word = arena_strndup(reader->arena, value, strcspn(value, separators));
        value += strlen(word);
        if (strings)
            read_string(reader, &element, word, (const char **)list.at + i);
        else
            read_int(reader, &element, word, (int64_t *)list.at + i);
    }
    if (reader->count == before)
        memcpy(member, &list, sizeof list);
}

static void read_member(struct reader *reader, const struct field *field, const char *value,
                        void *member)
{
    switch (field->type) {
    case TYPE_STR:
        read_string(reader, field, value, member);
        break;
    case TYPE_BOOL:
        read_bool(reader, field, value, member);
        break;
    case TYPE_INT64:
        read_int(reader, field, value, member);
        break;
    case TYPE_DOUBLE:
        read_double(reader, field, value, member);
        break;
    case TYPE_ENUM:
        read_enum(reader, field, value, member);
        break;
    case TYPE_STRS:
    case TYPE_INTS:
        read_list(reader, field, value, member);
        break;
    case TYPE_DOC:
    case TYPE_DOCS:
    case TYPE_RAW:
        report(reader, field, NULL, "a document cannot be a variable");
        break;
    }
}

size_t doc_env_read(const struct doc *doc, struct arena *arena, void *out, struct text *problems)
{
    struct reader reader = {.arena = arena, .problems = problems};
    memset(out, 0, doc->size);
    for (size_t i = 0; i < doc->len; i++) {
        const struct field *field = &doc->fields[i];
        const char *value = getenv(field->name);
        if (!value || *value == '\0')
            value = field->fallback;
        if (value)
            read_member(&reader, field, value, (char *)out + field->offset);
        else if (field->flags & FIELD_REQUIRED)
            report(&reader, field, NULL, "must be set");
    }
    return reader.count;
}

/* --- telling --- */

/* What values a variable takes, for people; "" where there is nothing to say. */
static const char *values_of(const struct field *field, struct arena *arena)
{
    const char *range = bounds(field, arena);
    switch (field->type) {
    case TYPE_BOOL:
        return "true or false";
    case TYPE_ENUM:
        return join(field->names, ", ", arena);
    case TYPE_STR:
        return range ? arena_printf(arena, "%s bytes", range) : "";
    case TYPE_STRS:
    case TYPE_INTS:
        return field->max ? arena_printf(arena, "a list of at most %" PRId64, field->max)
                          : "a list";
    default:
        return range ? range : "";
    }
}

void doc_env_help(const struct doc *doc, struct text *text)
{
    for (size_t i = 0; i < doc->len; i++) {
        const struct field *field = &doc->fields[i];
        const char *values = values_of(field, text->arena);
        text_printf(text, "  %s\n      %s\n", field->name, field->text);
        if (*values)
            text_printf(text, "      Values: %s.\n", values);
        if (field->fallback)
            text_printf(text, "      Default: %s\n", field->fallback);
        if (field->flags & FIELD_REQUIRED)
            text_puts(text, "      Must be set.\n");
    }
}

void doc_env_markdown(const struct doc *doc, struct text *text)
{
    for (size_t i = 0; i < doc->len; i++) {
        const struct field *field = &doc->fields[i];
        text_printf(text, "| `%s` | %s | ", field->name, field->text);
        if (field->fallback)
            text_printf(text, "`%s`", field->fallback);
        else if (field->flags & FIELD_REQUIRED)
            text_puts(text, "must be set");
        text_printf(text, " | %s |\n", values_of(field, text->arena));
    }
}
