/* Fields by the names of options, and values as people write them. */
#include "gateway/ctl/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MAX_S = 30 * 86400 };

static const struct field common[] = {
    FIELD(common_options, json, .text = "Print what the gateway answers."),
    FIELD(common_options, wait, .text = "Follow the job that was made to its end."),
    FIELD(common_options, timeout_s, .min = 1, .max = TIMEOUT_MAX_S,
          .text = "How long to follow a job."),
    FIELD(common_options, help, .text = "Print this."),
    FIELD(common_options, version, .text = "Print the version."),
};
const struct doc common_options_doc = DOC(common_options, common);

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len > end_len && strcmp(text + len - end_len, end) == 0;
}

/* Length of the field's name without its unit. */
static size_t stem_len(const struct field *field)
{
    static const char *const units[] = {"_s", "_bytes", "_id"};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (ends_with(field->name, units[i]))
            return strlen(field->name) - strlen(units[i]);
    return strlen(field->name);
}

const struct field *option_field(const struct doc *doc, const char *option)
{
    if (strncmp(option, "--", 2) != 0)
        return NULL;
    option += 2;
    size_t len = strcspn(option, "=");
    for (size_t i = 0; doc && i < doc->len; i++) {
        const struct field *field = &doc->fields[i];
        bool same = stem_len(field) == len;
        for (size_t n = 0; same && n < len; n++)
            same = option[n] == (field->name[n] == '_' ? '-' : field->name[n]);
        if (same)
            return field;
    }
    return NULL;
}

bool option_takes_value(const struct field *field)
{
    return field->type != TYPE_BOOL;
}

const char *option_name(const struct field *field, struct arena *arena)
{
    char *name = arena_printf(arena, "--%.*s", (int)stem_len(field), field->name);
    for (char *at = name; *at; at++)
        if (*at == '_')
            *at = '-';
    return name;
}

/* What a unit behind a number means: 24h, 7d; 10K, 1G. 0: none of them. */
static int64_t unit(const struct field *field, const char *text)
{
    static const struct {
        const char *field, *unit;
        int64_t factor;
    } units[] = {{"_s", "s", 1},          {"_s", "m", 60},          {"_s", "h", 3600},
                 {"_s", "d", 86400},      {"_bytes", "K", 1 << 10}, {"_bytes", "M", 1 << 20},
                 {"_bytes", "G", 1 << 30}};
    if (*text == '\0')
        return 1;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (ends_with(field->name, units[i].field) && strcmp(text, units[i].unit) == 0)
            return units[i].factor;
    return 0;
}

static int set_number(const struct field *field, const char *value, int64_t *out, struct err *err)
{
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    int64_t factor = end == value ? 0 : unit(field, end);
    if (factor == 0)
        return err_set(err, ERR_INVALID_FORMAT, "'%.64s' is no number", value);
    if (errno || __builtin_mul_overflow(number, factor, out) || *out < field->min ||
        (field->max && *out > field->max))
        return err_set(err, ERR_OUT_OF_RANGE, "must be %lld to %lld", (long long)field->min,
                       (long long)field->max);
    return 0;
}

static int set_text(const struct field *field, const char *value, const char **out, struct err *err)
{
    const char *why = "is not valid";
    enum error code = field->check ? field->check(value, &why) : ERR_NONE;
    if (code != ERR_NONE)
        return err_set(err, code, "%s", why);
    if (field->max && (int64_t)strlen(value) > field->max)
        return err_set(err, ERR_OUT_OF_RANGE, "must have at most %lld bytes",
                       (long long)field->max);
    *out = value;
    return 0;
}

int option_set(const struct field *field, const char *value, void *object, struct err *err)
{
    char *member = (char *)object + field->offset;
    unsigned word;
    switch (field->type) {
    case TYPE_BOOL:
        memcpy(member, &(bool){true}, sizeof(bool));
        return 0;
    case TYPE_INT64:
        return set_number(field, value, (int64_t *)(void *)member, err);
    case TYPE_STR:
        return set_text(field, value, (const char **)(void *)member, err);
    case TYPE_ENUM:
        word = field_enum(field, value);
        memcpy(member, &word, sizeof word);
        return word ? 0 : err_set(err, ERR_INVALID_FORMAT, "'%.64s' is none of its words", value);
    default:
        return err_set(err, ERR_INTERNAL, "%s is no option", field->name);
    }
}

const struct field *option_missing(const struct doc *doc, const void *object)
{
    for (size_t i = 0; doc && i < doc->len; i++)
        if ((doc->fields[i].flags & FIELD_REQUIRED) && field_absent(&doc->fields[i], object))
            return &doc->fields[i];
    return NULL;
}

/* What stands for the value in --help. */
static const char *placeholder(const struct field *field, struct arena *arena)
{
    struct text words = {.arena = arena};
    if (field->type == TYPE_BOOL)
        return "";
    if (field->type == TYPE_INT64)
        return ends_with(field->name, "_s")       ? " TIME"
               : ends_with(field->name, "_bytes") ? " SIZE"
                                                  : " N";
    if (field->type != TYPE_ENUM)
        return " TEXT";
    for (size_t i = 1; field->names[i]; i++)
        text_printf(&words, "%s%s", i > 1 ? "|" : " ", field->names[i]);
    return words.at;
}

void option_help(const struct doc *doc, struct text *out)
{
    for (size_t i = 0; doc && i < doc->len; i++) {
        const struct field *field = &doc->fields[i];
        const char *name = arena_printf(out->arena, "%s%s", option_name(field, out->arena),
                                        placeholder(field, out->arena));
        text_printf(out, "      %-24s %s\n", name, field->text);
    }
}
