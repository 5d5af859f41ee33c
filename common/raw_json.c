/* Free-form documents between JSON and BSON: the only place where cJSON and libbson meet. */
#include "common/raw_json.h"

#include <bson/bson.h>
#include <string.h>

#include "common/doc_json.h"

/* --- JSON to BSON --- */

struct writer {
    const struct json_tree *tree;
    struct err *err;
};

static int write_members(const struct writer *writer, const cJSON *parent,
                         const struct json_place *place, int depth, bson_t *out);

static bool is_whole(const struct json_number *number)
{
    return !memchr(number->at, '.', number->len) && !memchr(number->at, 'e', number->len) &&
           !memchr(number->at, 'E', number->len);
}

/* An integer too long for int64 is refused, not rounded. */
static bool write_number(const struct writer *writer, const cJSON *item, const char *name,
                         bson_t *out)
{
    const struct json_number *number = json_tree_number(writer->tree, item);
    int64_t whole;
    double value;
    if (is_whole(number))
        return json_number_int(number, &whole) && bson_append_int64(out, name, -1, whole);
    return json_number_double(number, &value) && bson_append_double(out, name, -1, value);
}

static bool write_scalar(const struct writer *writer, const cJSON *item, const char *name,
                         bson_t *out)
{
    if (cJSON_IsString(item))
        return bson_append_utf8(out, name, -1, item->valuestring, -1);
    if (cJSON_IsNumber(item))
        return write_number(writer, item, name, out);
    if (cJSON_IsBool(item))
        return bson_append_bool(out, name, -1, cJSON_IsTrue(item));
    return bson_append_null(out, name, -1);
}

static int write_nested(const struct writer *writer, const cJSON *item, const char *name,
                        const struct json_place *place, int depth, bson_t *out)
{
    bson_t nested;
    bool array = cJSON_IsArray(item);
    if (depth > RAW_JSON_DEPTH_MAX)
        return json_place_fail(place, writer->err, ERR_JSON_TOO_DEEP,
                               "free-form objects have at most %d levels", RAW_JSON_DEPTH_MAX);
    if (array)
        bson_append_array_begin(out, name, -1, &nested);
    else
        bson_append_document_begin(out, name, -1, &nested);
    int failed = write_members(writer, item, place, depth, &nested);
    if (array)
        bson_append_array_end(out, &nested);
    else
        bson_append_document_end(out, &nested);
    return failed;
}

static int write_value(const struct writer *writer, const cJSON *item, const char *name,
                       const struct json_place *place, int depth, bson_t *out)
{
    if (cJSON_IsObject(item) || cJSON_IsArray(item))
        return write_nested(writer, item, name, place, depth + 1, out);
    if (!write_scalar(writer, item, name, out))
        return json_place_fail(place, writer->err, ERR_OUT_OF_RANGE, "is too large");
    return 0;
}

static int write_members(const struct writer *writer, const cJSON *parent,
                         const struct json_place *place, int depth, bson_t *out)
{
    struct json_place at = {.up = place};
    for (const cJSON *item = parent->child; item; item = item->next, at.index++) {
        char digits[16];
        const char *name = at.name = item->string;
        if (name && (*name == '\0' || strpbrk(name, "$.")))
            return json_place_fail(&at, writer->err, ERR_INVALID_FORMAT,
                                   "names must not be empty nor have '$' or '.'");
        if (!name)
            bson_uint32_to_string((uint32_t)at.index, &name, digits, sizeof digits);
        if (write_value(writer, item, name, &at, depth, out) != 0)
            return -1;
    }
    return 0;
}

int raw_json_read(const struct json_tree *tree, const cJSON *object, const struct json_place *place,
                  int64_t max_bytes, struct arena *arena, struct raw *out, struct err *err)
{
    struct writer writer = {.tree = tree, .err = err};
    if (!cJSON_IsObject(object))
        return json_place_fail(place, err, ERR_INVALID_TYPE, "must be an object");
    bson_t bson = BSON_INITIALIZER;
    int failed = write_members(&writer, object, place, 1, &bson);
    if (!failed && bson.len > max_bytes)
        failed = json_place_fail(place, err, ERR_OUT_OF_RANGE,
                                 "must have at most %lld bytes as BSON", (long long)max_bytes);
    if (!failed)
        *out = (struct raw){arena_memdup(arena, bson_get_data(&bson), bson.len), bson.len};
    bson_destroy(&bson);
    return failed;
}

/* --- BSON to JSON --- */

static void print_members(struct text *text, bson_iter_t *iter, bool array, int depth);

static void print_string(struct text *text, const bson_iter_t *iter)
{
    uint32_t len;
    json_string(text, bson_iter_utf8(iter, &len));
}

static void print_oid(struct text *text, const bson_iter_t *iter)
{
    char hex[25];
    bson_oid_to_string(bson_iter_oid(iter), hex);
    json_string(text, hex);
}

/* Types that JSON has no word for are null. */
static void print_value(struct text *text, const bson_iter_t *iter, int depth)
{
    bson_type_t type = bson_iter_type(iter);
    bson_iter_t nested;
    if (type == BSON_TYPE_UTF8)
        print_string(text, iter);
    else if (type == BSON_TYPE_INT32 || type == BSON_TYPE_INT64)
        json_int(text, bson_iter_as_int64(iter));
    else if (type == BSON_TYPE_DOUBLE)
        json_double(text, bson_iter_double(iter));
    else if (type == BSON_TYPE_BOOL)
        text_puts(text, bson_iter_bool(iter) ? "true" : "false");
    else if (type == BSON_TYPE_DATE_TIME)
        json_time(text, bson_iter_date_time(iter));
    else if (type == BSON_TYPE_OID)
        print_oid(text, iter);
    else if ((type == BSON_TYPE_DOCUMENT || type == BSON_TYPE_ARRAY) && depth < JSON_DEPTH_MAX &&
             bson_iter_recurse(iter, &nested))
        print_members(text, &nested, type == BSON_TYPE_ARRAY, depth + 1);
    else
        text_puts(text, "null");
}

static void print_members(struct text *text, bson_iter_t *iter, bool array, int depth)
{
    const char *separator = "";
    text_puts(text, array ? "[" : "{");
    while (bson_iter_next(iter)) {
        text_puts(text, separator);
        separator = ",";
        if (!array) {
            json_string(text, bson_iter_key(iter));
            text_add(text, ":", 1);
        }
        print_value(text, iter, depth);
    }
    text_puts(text, array ? "]" : "}");
}

void json_raw(struct text *text, const struct raw *raw)
{
    bson_iter_t iter;
    if (raw->at && bson_iter_init_from_data(&iter, raw->at, raw->len))
        print_members(text, &iter, false, 1);
    else
        text_puts(text, "{}");
}
