/* Encoding: structs to BSON, one table row at a time. Decoding is in doc_bson_decode.c. */
#include "common/doc_bson.h"

#include <string.h>

const char *doc_bson_name(const struct field *field)
{
    return field->flags & FIELD_ID ? "_id" : field->name;
}

bool doc_bson_append_text(const struct field *field, const char *value, const char *key,
                          bson_t *out)
{
    size_t len = strlen(value);
    if (!(field->flags & FIELD_OID) || !bson_oid_is_valid(value, len))
        return bson_append_utf8(out, key, -1, value, (int)len);
    bson_oid_t oid;
    bson_oid_init_from_string(&oid, value);
    return bson_append_oid(out, key, -1, &oid);
}

static bool append_int64(const struct field *field, int64_t value, const char *key, bson_t *out)
{
    return field->flags & FIELD_TIME ? bson_append_date_time(out, key, -1, value)
                                     : bson_append_int64(out, key, -1, value);
}

static bool append_doc(const struct doc *doc, const void *object, const char *key, bson_t *out)
{
    bson_t child;
    if (!bson_append_document_begin(out, key, -1, &child))
        return false;
    doc_bson_encode(doc, object, &child);
    return bson_append_document_end(out, &child);
}

static void append_element(const struct field *field, const void *at, size_t i, const char *key,
                           bson_t *out)
{
    if (field->type == TYPE_STRS)
        bson_append_utf8(out, key, -1, ((const char *const *)at)[i], -1);
    else if (field->type == TYPE_INTS)
        append_int64(field, ((const int64_t *)at)[i], key, out);
    else
        append_doc(field->doc, (const char *)at + i * field->doc->size, key, out);
}

static bool append_list(const struct field *field, const void *object, const char *key, bson_t *out)
{
    struct list list = field_list(field, object);
    bson_t child;
    if (!bson_append_array_begin(out, key, -1, &child))
        return false;
    for (size_t i = 0; i < list.len; i++) {
        char digits[16];
        const char *index;
        bson_uint32_to_string((uint32_t)i, &index, digits, sizeof digits);
        append_element(field, list.at, i, index, &child);
    }
    return bson_append_array_end(out, &child);
}

static bool append_raw(const struct raw *raw, const char *key, bson_t *out)
{
    bson_t child;
    return bson_init_static(&child, raw->at, raw->len) &&
           bson_append_document(out, key, -1, &child);
}

/* Whether a zero of that type has a form other than null. */
static bool zero_has_form(enum field_type type)
{
    return type != TYPE_STR && type != TYPE_ENUM && type != TYPE_RAW;
}

bool doc_bson_append(const struct field *field, const void *object, const char *key, bson_t *out)
{
    bool always = field->flags & FIELD_ALWAYS && zero_has_form(field->type);
    if (!always && field_absent(field, object))
        return false;
    const void *member = (const char *)object + field->offset;
    switch (field->type) {
    case TYPE_STR:
        return doc_bson_append_text(field, *(const char *const *)member, key, out);
    case TYPE_BOOL:
        return bson_append_bool(out, key, -1, *(const bool *)member);
    case TYPE_INT64:
        return append_int64(field, *(const int64_t *)member, key, out);
    case TYPE_DOUBLE:
        return bson_append_double(out, key, -1, *(const double *)member);
    case TYPE_ENUM:
        return bson_append_utf8(out, key, -1, field->names[*(const unsigned *)member], -1);
    case TYPE_DOC:
        return append_doc(field->doc, member, key, out);
    case TYPE_DOCS:
    case TYPE_STRS:
    case TYPE_INTS:
        return append_list(field, object, key, out);
    case TYPE_RAW:
        return append_raw(member, key, out);
    }
    return false;
}

void doc_bson_encode(const struct doc *doc, const void *object, bson_t *out)
{
    for (size_t i = 0; i < doc->len; i++)
        doc_bson_append(&doc->fields[i], object, doc_bson_name(&doc->fields[i]), out);
}

struct raw doc_bson_pack(const struct doc *doc, const void *object, struct arena *arena)
{
    bson_t bson = BSON_INITIALIZER;
    doc_bson_encode(doc, object, &bson);
    struct raw raw = {0};
    if (!bson_empty(&bson))
        raw = (struct raw){arena_memdup(arena, bson_get_data(&bson), bson.len), bson.len};
    bson_destroy(&bson);
    return raw;
}
