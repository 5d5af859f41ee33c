/* A JSON text as cJSON's tree: scanned first, then parsed, then searched for names that occur
 * twice. */
#include "common/json_tree.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The name that an object has twice, or NULL. */
static const char *duplicate_of(const cJSON *object, struct arena *arena)
{
    size_t len = 0;
    for (const cJSON *item = object->child; item; item = item->next)
        len++;
    if (len < 2)
        return NULL;
    const char **names = arena_alloc_array(arena, len, sizeof *names);
    size_t at = 0;
    for (const cJSON *item = object->child; item; item = item->next)
        names[at++] = item->string;
    qsort(names, len, sizeof *names, by_name);
    for (size_t i = 1; i < len; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            return names[i];
    return NULL;
}

/* Numbers the numbers in the order of the text, in valueint, and refuses duplicate names. */
static int inspect(cJSON *item, const struct json_place *place, int *number, struct arena *arena,
                   struct err *err)
{
    if (cJSON_IsNumber(item))
        item->valueint = (*number)++;
    const char *twice = cJSON_IsObject(item) ? duplicate_of(item, arena) : NULL;
    if (twice) {
        struct json_place at = {.up = place, .name = twice};
        return json_place_fail(&at, err, ERR_DUPLICATE_KEY, "'%.64s' is there twice", twice);
    }
    size_t index = 0;
    for (cJSON *child = item->child; child; child = child->next) {
        struct json_place at = {.up = place, .name = child->string, .index = index++};
        if (inspect(child, &at, number, arena, err) != 0)
            return -1;
    }
    return 0;
}

static bool only_space(const char *at, const char *end)
{
    while (at < end && strchr(" \t\n\r", *at))
        at++;
    return at == end;
}

int json_tree_open(struct json_tree *out, const char *json, size_t len, struct arena *arena,
                   struct err *err)
{
    struct json_tree tree = {0};
    const char *end = json;
    int number = 0;
    if (len == 0)
        return err_set(err, ERR_MALFORMED_JSON, "empty, where JSON is expected");
    if (len > INT_MAX)
        return err_set(err, ERR_BODY_TOO_LARGE, "more than 2 GiB of JSON");
    if (json_scan(json, len, arena, &tree.numbers, err) != 0)
        return -1;
    tree.root = cJSON_ParseWithLengthOpts(json, len, &end, 0);
    if (!tree.root || !only_space(end, json + len)) {
        cJSON_Delete(tree.root);
        return err_set(err, ERR_MALFORMED_JSON, "not JSON at byte %zu", (size_t)(end - json));
    }
    if (inspect(tree.root, NULL, &number, arena, err) != 0) {
        cJSON_Delete(tree.root);
        return -1;
    }
    *out = tree;
    return 0;
}

const struct json_number *json_tree_number(const struct json_tree *tree, const cJSON *item)
{
    return &tree->numbers.at[item->valueint];
}

/* Adds one component; '~' and '/' inside a name are written ~0 and ~1. */
static size_t add_name(const char *name, char *out, size_t at, size_t size)
{
    for (; *name; name++) {
        const char *escape = *name == '~' ? "~0" : *name == '/' ? "~1" : NULL;
        size_t len = escape ? 2 : 1;
        if (at + len >= size)
            return at;
        memcpy(out + at, escape ? escape : name, len);
        at += len;
    }
    return at;
}

static size_t add_place(const struct json_place *place, char *out, size_t size)
{
    char index[24];
    size_t at = place->up ? add_place(place->up, out, size) : 0;
    if (at + 1 < size)
        out[at++] = '/';
    snprintf(index, sizeof index, "%zu", place->index);
    return add_name(place->name ? place->name : index, out, at, size);
}

void json_place_pointer(const struct json_place *place, char *out, size_t size)
{
    size_t len = place ? add_place(place, out, size) : 0;
    out[utf8_floor(out, len)] = '\0';
}

int json_place_fail(const struct json_place *place, struct err *err, enum error code,
                    const char *format, ...)
{
    char detail[ERR_DETAIL_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    err_set(err, code, "%s", detail);
    json_place_pointer(place, err->pointer, sizeof err->pointer);
    err_clean(err->pointer);
    return -1;
}
