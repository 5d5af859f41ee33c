/* Documents as JSON: one walk over the table, straight into the answer's text. */
#include "common/doc_json.h"

#include <string.h>

static void add_list(const struct field *field, const void *object, struct text *text)
{
    struct list list = field_list(field, object);
    text_add(text, "[", 1);
    for (size_t i = 0; i < list.len; i++) {
        if (i > 0)
            text_add(text, ",", 1);
        if (field->type == TYPE_DOCS)
            doc_json_encode(field->doc, (const char *)list.at + i * field->doc->size, text);
        else if (field->type == TYPE_INTS)
            json_int(text, ((const int64_t *)list.at)[i]);
        else
            json_string(text, ((const char *const *)list.at)[i]);
    }
    text_add(text, "]", 1);
}

static void add_value(const struct field *field, const void *object, struct text *text)
{
    const void *member = (const char *)object + field->offset;
    const char *string;
    switch (field->type) {
    case TYPE_STR:
        string = *(const char *const *)member;
        json_string(text, string ? string : "");
        break;
    case TYPE_BOOL:
        text_puts(text, *(const bool *)member ? "true" : "false");
        break;
    case TYPE_INT64:
        if (field->flags & FIELD_TIME)
            json_time(text, *(const int64_t *)member);
        else
            json_int(text, *(const int64_t *)member);
        break;
    case TYPE_DOUBLE:
        json_double(text, *(const double *)member);
        break;
    case TYPE_ENUM:
        json_string(text, field->names[*(const unsigned *)member]);
        break;
    case TYPE_DOC:
        doc_json_encode(field->doc, member, text);
        break;
    case TYPE_DOCS:
    case TYPE_STRS:
    case TYPE_INTS:
        add_list(field, object, text);
        break;
    case TYPE_RAW:
        json_raw(text, member);
        break;
    }
}

/* Always written: whatever has a zero. A time or a name has none. */
static bool shown(const struct field *field, const void *object)
{
    if (field->flags & (FIELD_HIDDEN | FIELD_SECRET))
        return false;
    bool has_zero = field->type != TYPE_ENUM && !(field->flags & FIELD_TIME);
    return ((field->flags & FIELD_ALWAYS) && has_zero) || !field_absent(field, object);
}

void doc_json_encode(const struct doc *doc, const void *object, struct text *text)
{
    text_add(text, "{", 1);
    const char *separator = "\"";
    for (size_t i = 0; i < doc->len; i++) {
        const struct field *field = &doc->fields[i];
        if (!shown(field, object))
            continue;
        text_puts(text, separator);
        separator = ",\"";
        text_puts(text, field->name);
        text_add(text, "\":", 2);
        add_value(field, object, text);
    }
    text_add(text, "}", 1);
}
