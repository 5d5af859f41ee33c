/* Documents from JSON: one walk over the tree, each member read as its row says. */
#include "common/doc_json.h"

#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json_tree.h"
#include "common/near_name.h"
#include "common/raw_json.h"

struct reader {
    const struct json_tree *tree;
    struct arena *arena;
    struct err *err;
    unsigned flags;
};

static int read_doc(struct reader *reader, const struct doc *doc, const cJSON *object,
                    const struct json_place *place, void *out);

static int wrong_type(struct reader *reader, const struct json_place *place, const char *should)
{
    return json_place_fail(place, reader->err, ERR_INVALID_TYPE, "must be %s", should);
}

/* With a maximum, a minimum of zero counts, too. */
static bool is_bounded(const struct field *field)
{
    return field->min != 0 || field->max != 0;
}

/* Length, count or value against the row's bounds; `what` says which of them. */
static int check_bounds(struct reader *reader, const struct field *field, double value,
                        enum error above, const char *what, const struct json_place *place)
{
    if (is_bounded(field) && value < (double)field->min)
        return json_place_fail(place, reader->err, ERR_OUT_OF_RANGE, "must %s at least %lld", what,
                               (long long)field->min);
    if (field->max != 0 && value > (double)field->max)
        return json_place_fail(place, reader->err, above, "must %s at most %lld", what,
                               (long long)field->max);
    return 0;
}

static bool is_oid(const char *value)
{
    return strlen(value) == 24 && strspn(value, "0123456789abcdefABCDEF") == 24;
}

/* The row's own check comes before the bounds: its code says more. Bounds of a list's row count its
 * elements. */
static int read_string(struct reader *reader, const struct field *field, const cJSON *item,
                       const struct json_place *place, const char **out)
{
    if (!cJSON_IsString(item))
        return wrong_type(reader, place, "a string");
    const char *value = item->valuestring, *why = NULL;
    enum error code = field->check ? field->check(value, &why) : ERR_NONE;
    if (code != ERR_NONE)
        return json_place_fail(place, reader->err, code, "%s", why ? why : "is not valid");
    if ((field->flags & FIELD_OID) && !is_oid(value))
        return json_place_fail(place, reader->err, ERR_INVALID_ID, "must be 24 hex digits");
    if (field->type == TYPE_STR && check_bounds(reader, field, (double)strlen(value),
                                                ERR_OUT_OF_RANGE, "have bytes:", place) != 0)
        return -1;
    *out = arena_strdup(reader->arena, value);
    return 0;
}

static int read_time(struct reader *reader, const cJSON *item, const struct json_place *place,
                     int64_t *out)
{
    if (!cJSON_IsString(item))
        return wrong_type(reader, place, "a string: an RFC 3339 time");
    if (clock_parse(item->valuestring, out) != 0)
        return json_place_fail(place, reader->err, ERR_INVALID_FORMAT,
                               "must be an RFC 3339 time, like 2026-02-03T22:00:00Z");
    return 0;
}

static int read_int(struct reader *reader, const struct field *field, const cJSON *item,
                    const struct json_place *place, int64_t *out)
{
    if (field->flags & FIELD_TIME)
        return read_time(reader, item, place, out);
    if (!cJSON_IsNumber(item))
        return wrong_type(reader, place, "an integer");
    int64_t value;
    if (!json_number_int(json_tree_number(reader->tree, item), &value))
        return json_place_fail(place, reader->err, ERR_OUT_OF_RANGE,
                               "must be an integer of 64 bits, without fraction");
    bool below = is_bounded(field) && value < field->min;
    bool above = field->max != 0 && value > field->max;
    if (field->type == TYPE_INT64 && (below || above))
        return json_place_fail(place, reader->err, ERR_OUT_OF_RANGE, "must be at %s %lld",
                               below ? "least" : "most",
                               (long long)(below ? field->min : field->max));
    *out = value;
    return 0;
}

static int read_double(struct reader *reader, const struct field *field, const cJSON *item,
                       const struct json_place *place, double *out)
{
    if (!cJSON_IsNumber(item))
        return wrong_type(reader, place, "a number");
    if (!json_number_double(json_tree_number(reader->tree, item), out))
        return json_place_fail(place, reader->err, ERR_OUT_OF_RANGE, "is too large a number");
    return check_bounds(reader, field, *out, ERR_OUT_OF_RANGE, "be", place);
}

static int read_enum(struct reader *reader, const struct field *field, const cJSON *item,
                     const struct json_place *place, unsigned *out)
{
    if (!cJSON_IsString(item))
        return wrong_type(reader, place, "a string");
    *out = field_enum(field, item->valuestring);
    if (*out != 0)
        return 0;
    struct text names = {.arena = reader->arena};
    for (size_t i = 1; field->names[i]; i++)
        text_printf(&names, "%s%s", i > 1 ? ", " : "", field->names[i]);
    return json_place_fail(place, reader->err, ERR_INVALID_VALUE, "must be one of: %s",
                           names.at ? names.at : "");
}

static size_t element_size(const struct field *field)
{
    switch (field->type) {
    case TYPE_DOCS:
        return field->doc->size;
    case TYPE_INTS:
        return sizeof(int64_t);
    default:
        return sizeof(char *);
    }
}

static int read_element(struct reader *reader, const struct field *field, const cJSON *item,
                        const struct json_place *place, void *out)
{
    switch (field->type) {
    case TYPE_DOCS:
        return read_doc(reader, field->doc, item, place, out);
    case TYPE_INTS:
        return read_int(reader, field, item, place, out);
    default:
        return read_string(reader, field, item, place, out);
    }
}

static int read_list(struct reader *reader, const struct field *field, const cJSON *array,
                     const struct json_place *place, void *member)
{
    if (!cJSON_IsArray(array))
        return wrong_type(reader, place, "an array");
    size_t len = (size_t)cJSON_GetArraySize(array), size = element_size(field);
    if (check_bounds(reader, field, (double)len, ERR_TOO_MANY_ITEMS, "have items:", place) != 0)
        return -1;
    struct list list = {.at = arena_alloc_array(reader->arena, len, size), .len = len};
    struct json_place at = {.up = place};
    for (const cJSON *item = array->child; item; item = item->next, at.index++)
        if (read_element(reader, field, item, &at, (char *)list.at + at.index * size) != 0)
            return -1;
    memcpy(member, &list, sizeof list);
    return 0;
}

static int read_member(struct reader *reader, const struct field *field, const cJSON *item,
                       const struct json_place *place, void *member)
{
    switch (field->type) {
    case TYPE_STR:
        return read_string(reader, field, item, place, member);
    case TYPE_BOOL:
        if (!cJSON_IsBool(item))
            return wrong_type(reader, place, "true or false");
        *(bool *)member = cJSON_IsTrue(item);
        return 0;
    case TYPE_INT64:
        return read_int(reader, field, item, place, member);
    case TYPE_DOUBLE:
        return read_double(reader, field, item, place, member);
    case TYPE_ENUM:
        return read_enum(reader, field, item, place, member);
    case TYPE_DOC:
        return read_doc(reader, field->doc, item, place, member);
    case TYPE_DOCS:
    case TYPE_STRS:
    case TYPE_INTS:
        return read_list(reader, field, item, place, member);
    case TYPE_RAW:
        return raw_json_read(reader->tree, item, place,
                             field->max ? field->max : RAW_JSON_BYTES_MAX, reader->arena, member,
                             reader->err);
    }
    return 0;
}

static int unknown_field(struct reader *reader, const struct doc *doc, const cJSON *item,
                         const struct json_place *place)
{
    if (reader->flags & DOC_JSON_LENIENT)
        return 0;
    const char *near = near_name(doc, item->string);
    return json_place_fail(place, reader->err, ERR_UNKNOWN_FIELD, "there is no field '%.64s'%s%s%s",
                           item->string, near ? "; did you mean '" : "", near ? near : "",
                           near ? "'?" : "");
}

static int check_required(struct reader *reader, const struct doc *doc, const cJSON *object,
                          const struct json_place *place)
{
    for (size_t i = 0; i < doc->len; i++) {
        const struct field *field = &doc->fields[i];
        if (!(field->flags & FIELD_REQUIRED) || (field->flags & FIELD_HIDDEN))
            continue;
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, field->name);
        struct json_place at = {.up = place, .name = field->name};
        if (!item || cJSON_IsNull(item))
            return json_place_fail(&at, reader->err, ERR_MISSING_FIELD, "'%s' is missing",
                                   field->name);
    }
    return 0;
}

static int read_doc(struct reader *reader, const struct doc *doc, const cJSON *object,
                    const struct json_place *place, void *out)
{
    if (!cJSON_IsObject(object))
        return wrong_type(reader, place, "an object");
    for (const cJSON *item = object->child; item; item = item->next) {
        struct json_place at = {.up = place, .name = item->string};
        const struct field *field = doc_field(doc, item->string);
        int failed = 0;
        if (!field || (field->flags & FIELD_HIDDEN))
            failed = unknown_field(reader, doc, item, &at);
        else if (!cJSON_IsNull(item))
            failed = read_member(reader, field, item, &at, (char *)out + field->offset);
        if (failed)
            return -1;
    }
    return check_required(reader, doc, object, place);
}

static void tree_delete_at(cJSON **root)
{
    cJSON_Delete(*root);
}

int doc_json_decode(const struct doc *doc, const char *json, size_t len, unsigned flags,
                    struct arena *arena, void *out, struct err *err)
{
    struct json_tree tree;
    if (json_tree_open(&tree, json, len, arena, err) != 0)
        return -1;
    CLEANUP(tree_delete_at) cJSON *root = tree.root;
    if (!cJSON_IsObject(root))
        return err_set(err, ERR_INVALID_BODY, "the body must be a JSON object");
    /* A document of its own first: a failure leaves the caller's untouched. */
    void *read = arena_alloc(arena, doc->size);
    struct reader reader = {.tree = &tree, .arena = arena, .err = err, .flags = flags};
    if (read_doc(&reader, doc, root, NULL, read) != 0)
        return -1;
    memcpy(out, read, doc->size);
    return 0;
}
