/* Documents as JSON Schema: what a row demands is said in the schema's words. */
#include "common/doc_schema.h"

#include "common/json_text.h"

static void add_bound(struct text *text, const char *word, int64_t bound)
{
    text_printf(text, ",\"%s\":", word);
    json_int(text, bound);
}

/* With a maximum, a minimum of zero counts, too. */
static void add_range(const struct field *field, struct text *text)
{
    if (field->min != 0 || field->max != 0)
        add_bound(text, "minimum", field->min);
    if (field->max != 0)
        add_bound(text, "maximum", field->max);
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
    if (field->min > 0)
        add_bound(text, "minLength", 1);
    if (field->max > 0)
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
        add_range(field, text);
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
    if (field->min > 0)
        add_bound(text, "minItems", field->min);
    if (field->max > 0)
        add_bound(text, "maxItems", field->max);
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
        add_range(field, text);
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

/* Nothing if no row is required: the list may not be empty in older drafts. */
static void add_required(const struct doc *doc, struct text *text)
{
    size_t count = 0;
    for (size_t i = 0; i < doc->len; i++) {
        unsigned flags = doc->fields[i].flags;
        if (!(flags & FIELD_REQUIRED) || (flags & FIELD_HIDDEN))
            continue;
        text_puts(text, count++ == 0 ? ",\"required\":[" : ",");
        json_string(text, doc->fields[i].name);
    }
    if (count > 0)
        text_puts(text, "]");
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
    add_required(doc, text);
    text_puts(text, "}");
}
