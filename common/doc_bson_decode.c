/* Decoding: BSON to structs, one table row at a time, everything copied and checked. */
#include "common/doc_bson.h"

#include <math.h>
#include <string.h>

/* What an element is decoded with. */
struct reader {
    struct arena *arena;
    struct err *err;
};

static int decode_doc(const struct reader *reader, const struct doc *doc, const uint8_t *bytes,
                      size_t len, void *out);

static int refuse(const struct reader *reader, const struct field *field, const char *should)
{
    return err_set(reader->err, ERR_INTERNAL, "%s: not %s in the store", field->name, should);
}

static int read_text(const struct reader *reader, const struct field *field,
                     const bson_iter_t *iter, const char **out)
{
    if (!BSON_ITER_HOLDS_UTF8(iter))
        return refuse(reader, field, "a string");
    uint32_t len;
    const char *value = bson_iter_utf8(iter, &len);
    if (!bson_utf8_validate(value, len, false))
        return refuse(reader, field, "valid UTF-8");
    *out = arena_strndup(reader->arena, value, len);
    return 0;
}

static int read_str(const struct reader *reader, const struct field *field, const bson_iter_t *iter,
                    const char **out)
{
    if (!(field->flags & FIELD_OID) || !BSON_ITER_HOLDS_OID(iter))
        return read_text(reader, field, iter, out);
    char hex[25];
    bson_oid_to_string(bson_iter_oid(iter), hex);
    *out = arena_strndup(reader->arena, hex, sizeof hex - 1);
    return 0;
}

static int read_integer(const struct reader *reader, const struct field *field,
                        const bson_iter_t *iter, int64_t *out)
{
    if (BSON_ITER_HOLDS_INT32(iter) || BSON_ITER_HOLDS_INT64(iter)) {
        *out = bson_iter_as_int64(iter);
        return 0;
    }
    if (field->flags & FIELD_TIME && BSON_ITER_HOLDS_DATE_TIME(iter)) {
        *out = bson_iter_date_time(iter);
        return 0;
    }
    double value = BSON_ITER_HOLDS_DOUBLE(iter) ? bson_iter_double(iter) : NAN;
    if (!(value >= -0x1p63 && value < 0x1p63) || trunc(value) != value)
        return refuse(reader, field, field->flags & FIELD_TIME ? "a time" : "an integer");
    *out = (int64_t)value;
    return 0;
}

static int read_double(const struct reader *reader, const struct field *field,
                       const bson_iter_t *iter, double *out)
{
    bool number =
        BSON_ITER_HOLDS_DOUBLE(iter) || BSON_ITER_HOLDS_INT32(iter) || BSON_ITER_HOLDS_INT64(iter);
    double value = number ? bson_iter_as_double(iter) : NAN;
    if (!isfinite(value))
        return refuse(reader, field, "a finite number");
    *out = value;
    return 0;
}

static int read_enum(const struct reader *reader, const struct field *field,
                     const bson_iter_t *iter, unsigned *out)
{
    unsigned value = BSON_ITER_HOLDS_UTF8(iter) ? field_enum(field, bson_iter_utf8(iter, NULL)) : 0;
    if (!value)
        return refuse(reader, field, "one of its names");
    *out = value;
    return 0;
}

static int read_doc(const struct reader *reader, const struct field *field, const bson_iter_t *iter,
                    void *out)
{
    if (!BSON_ITER_HOLDS_DOCUMENT(iter))
        return refuse(reader, field, "a document");
    const uint8_t *bytes;
    uint32_t len;
    bson_iter_document(iter, &len, &bytes);
    if (decode_doc(reader, field->doc, bytes, len, out) < 0)
        return err_prefix(reader->err, "%s", field->name);
    return 0;
}

static int read_element(const struct reader *reader, const struct field *field,
                        const bson_iter_t *iter, void *at, size_t i)
{
    if (field->type == TYPE_STRS)
        return read_text(reader, field, iter, (const char **)at + i);
    if (field->type == TYPE_INTS)
        return read_integer(reader, field, iter, (int64_t *)at + i);
    return read_doc(reader, field, iter, (char *)at + i * field->doc->size);
}

static size_t element_size(const struct field *field)
{
    if (field->type == TYPE_STRS)
        return sizeof(char *);
    return field->type == TYPE_INTS ? sizeof(int64_t) : field->doc->size;
}

static int read_list(const struct reader *reader, const struct field *field,
                     const bson_iter_t *iter, void *out)
{
    bson_iter_t child;
    if (!BSON_ITER_HOLDS_ARRAY(iter))
        return refuse(reader, field, "a list");
    struct list list = {0};
    for (bool ok = bson_iter_recurse(iter, &child); ok && bson_iter_next(&child);)
        list.len++;
    if (!list.len)
        return 0;
    list.at = arena_alloc_array(reader->arena, list.len, element_size(field));
    bson_iter_recurse(iter, &child);
    for (size_t i = 0; i < list.len && bson_iter_next(&child); i++)
        if (read_element(reader, field, &child, list.at, i) < 0)
            return -1;
    memcpy(out, &list, sizeof list);
    return 0;
}

static int read_raw(const struct reader *reader, const struct field *field, const bson_iter_t *iter,
                    struct raw *out)
{
    if (!BSON_ITER_HOLDS_DOCUMENT(iter))
        return refuse(reader, field, "a document");
    const uint8_t *bytes;
    uint32_t len;
    bson_iter_document(iter, &len, &bytes);
    *out = (struct raw){arena_memdup(reader->arena, bytes, len), len};
    return 0;
}

static int read_field(const struct reader *reader, const struct field *field,
                      const bson_iter_t *iter, void *member)
{
    switch (field->type) {
    case TYPE_STR:
        return read_str(reader, field, iter, member);
    case TYPE_BOOL:
        if (!BSON_ITER_HOLDS_BOOL(iter))
            return refuse(reader, field, "a boolean");
        *(bool *)member = bson_iter_bool(iter);
        return 0;
    case TYPE_INT64:
        return read_integer(reader, field, iter, member);
    case TYPE_DOUBLE:
        return read_double(reader, field, iter, member);
    case TYPE_ENUM:
        return read_enum(reader, field, iter, member);
    case TYPE_DOC:
        return read_doc(reader, field, iter, member);
    case TYPE_DOCS:
    case TYPE_STRS:
    case TYPE_INTS:
        return read_list(reader, field, iter, member);
    case TYPE_RAW:
        return read_raw(reader, field, iter, member);
    }
    return 0;
}

/* Records were written in the table's order, so the row after the last one is nearly always the one
 * that is asked. */
static const struct field *find_row(const struct doc *doc, const char *key, size_t *next)
{
    for (size_t n = 0; n < doc->len; n++) {
        size_t i = (*next + n) % doc->len;
        if (strcmp(doc_bson_name(&doc->fields[i]), key) != 0)
            continue;
        *next = i + 1;
        return &doc->fields[i];
    }
    return NULL;
}

static int decode_doc(const struct reader *reader, const struct doc *doc, const uint8_t *bytes,
                      size_t len, void *out)
{
    bson_iter_t iter;
    memset(out, 0, doc->size);
    if (!bson_iter_init_from_data(&iter, bytes, len))
        return err_set(reader->err, ERR_INTERNAL, "%s: broken BSON", doc->name);
    for (size_t next = 0; bson_iter_next(&iter);) {
        const struct field *field = find_row(doc, bson_iter_key(&iter), &next);
        if (!field || BSON_ITER_HOLDS_NULL(&iter))
            continue;
        if (read_field(reader, field, &iter, (char *)out + field->offset) < 0)
            return -1;
    }
    if (iter.err_off)
        return err_set(reader->err, ERR_INTERNAL, "%s: broken BSON", doc->name);
    return 0;
}

int doc_bson_decode(const struct doc *doc, const bson_t *bson, struct arena *arena, void *out,
                    struct err *err)
{
    const struct reader reader = {arena, err};
    return decode_doc(&reader, doc, bson_get_data(bson), bson->len, out);
}

int doc_bson_unpack(const struct doc *doc, const struct raw *raw, struct arena *arena, void *out,
                    struct err *err)
{
    memset(out, 0, doc->size);
    if (!raw->at)
        return 0;
    const struct reader reader = {arena, err};
    return decode_doc(&reader, doc, raw->at, raw->len, out);
}
