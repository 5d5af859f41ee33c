/* Documents as JSON Schema: what a row demands is said in the schema's words. */
#include "common/doc_schema.h"

#include "common/json_text.h"

static void add_bound(struct text *text, const char *word, int64_t bound)
{
    if (bound == 0)
        return;
    text_printf(text, ",\"%s\":", word);
    json_int(text, bound);
}

/* ,"min…":…,"max…":… */
static void add_bounds(const struct field *field, struct text *text, const char *min,
                       const char *max)
{
    add_bound(text, min, field->min);
    add_bound(text, max, field->max);
}

/* Bytes are never fewer than characters: a maximum of bytes holds for characters, too, a minimum
 * above 1 would not. */
static void add_string(const struct field *field, struct text *text)
{
    text_puts(text, "\"type\":\"string\"");
    if (field->flags & FIELD_OID)
        text_puts(text, ",\"pattern\":\"^[0-9a-fA-F]{24}$\"");
    if (field->type != TYPE_STR)
        return;
    add_bound(text, "minLength", field->min > 0);
    add_bound(text, "maxLength", field->max);
}

static void add_ref(const struct doc *doc, struct text *text)
{
    text_printf(text, "\"$ref\":\"#/components/schemas/%s\"", doc->name);
}

static void add_integer(const struct field *field, struct text *text)
{
    if (field->flags & FIELD_TIME) {
        text_puts(text, "\"type\":\"string\",\"format\":\"date-time\"");
        return;
    }
    text_puts(text, "\"type\":\"integer\",\"format\":\"int64\"");
    if (field->type == TYPE_INT64)
        add_bounds(field, text, "minimum", "maximum");
}

static void add_enum(const struct field *field, struct text *text)
{
    text_puts(text, "\"type\":\"string\",\"enum\":[");
    for (size_t i = 1; field->names[i]; i++) {
        if (i > 1)
            text_puts(text, ",");
        json_string(text, field->names[i]);
    }
    text_puts(text, "]");
}

static void add_array(const struct field *field, struct text *text)
{
    text_puts(text, "\"type\":\"array\",\"items\":{");
    if (field->type == TYPE_DOCS)
        add_ref(field->doc, text);
    else if (field->type == TYPE_INTS)
        add_integer(field, text);
    else
        add_string(field, text);
    text_puts(text, "}");
    add_bounds(field, text, "minItems", "maxItems");
}

static void add_type(const struct field *field, struct text *text)
{
    switch (field->type) {
    case TYPE_STR:
        add_string(field, text);
        break;
    case TYPE_BOOL:
        text_puts(text, "\"type\":\"boolean\"");
        break;
    case TYPE_INT64:
        add_integer(field, text);
        break;
    case TYPE_DOUBLE:
        text_puts(text, "\"type\":\"number\"");
        add_bounds(field, text, "minimum", "maximum");
        break;
    case TYPE_ENUM:
        add_enum(field, text);
        break;
    case TYPE_DOC:
        add_ref(field->doc, text);
        break;
    case TYPE_DOCS:
    case TYPE_STRS:
    case TYPE_INTS:
        add_array(field, text);
        break;
    case TYPE_RAW:
        text_puts(text, "\"type\":\"object\"");
        break;
    }
}

static void add_property(const struct field *field, struct text *text)
{
    json_string(text, field->name);
    text_puts(text, ":{");
    add_type(field, text);
    if (field->text) {
        text_puts(text, ",\"description\":");
        json_string(text, field->text);
    }
    if (field->flags & FIELD_SECRET)
        text_puts(text, ",\"writeOnly\":true");
    text_puts(text, "}");
}

void doc_schema(const struct doc *doc, struct text *text)
{
    const char *separator = "";
    text_puts(text, "{\"type\":\"object\",\"properties\":{");
    for (size_t i = 0; i < doc->len; i++) {
        if (doc->fields[i].flags & FIELD_HIDDEN)
            continue;
        text_puts(text, separator);
        separator = ",";
        add_property(&doc->fields[i], text);
    }
    text_puts(text, "}");
    separator = ",\"required\":[";
    for (size_t i = 0; i < doc->len; i++) {
        if (!(doc->fields[i].flags & FIELD_REQUIRED) || doc->fields[i].flags & FIELD_HIDDEN)
            continue;
        text_puts(text, separator);
        separator = ",";
        json_string(text, doc->fields[i].name);
    }
    text_puts(text, separator[1] ? "}" : "]}");
}
