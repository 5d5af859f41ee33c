/* Walks two structs by their table and writes down what has to change. */
#include "common/doc_diff.h"

#include <stdio.h>
#include <string.h>

#include "common/doc_bson.h"

/* The longest dotted path: tables are a few levels deep and their names short. */
enum { PATH_MAX_BYTES = 256 };

struct diff {
    bson_t *set, *unset;
    doc_diff_whole *whole;
    size_t len;
};

static bool equal_str(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool equal_bytes(const void *a, const void *b, size_t len)
{
    return len == 0 || memcmp(a, b, len) == 0;
}

static bool equal_list(const struct field *field, struct list a, struct list b)
{
    if (a.len != b.len)
        return false;
    if (field->type == TYPE_INTS)
        return equal_bytes(a.at, b.at, a.len * sizeof(int64_t));
    for (size_t i = 0; i < a.len; i++)
        if (!equal_str(((const char *const *)a.at)[i], ((const char *const *)b.at)[i]))
            return false;
    return true;
}

/* Of scalars, lists of scalars and free-form documents. */
static bool equal(const struct field *field, const void *before, const void *after)
{
    const void *a = (const char *)before + field->offset, *b = (const char *)after + field->offset;
    const struct raw *raw_a = a, *raw_b = b;
    switch (field->type) {
    case TYPE_STR:
        return equal_str(*(const char *const *)a, *(const char *const *)b);
    case TYPE_BOOL:
        return *(const bool *)a == *(const bool *)b;
    case TYPE_INT64:
        return *(const int64_t *)a == *(const int64_t *)b;
    case TYPE_DOUBLE:
        return *(const double *)a == *(const double *)b;
    case TYPE_ENUM:
        return *(const unsigned *)a == *(const unsigned *)b;
    case TYPE_STRS:
    case TYPE_INTS:
        return equal_list(field, field_list(field, before), field_list(field, after));
    case TYPE_RAW:
        return raw_a->len == raw_b->len && equal_bytes(raw_a->at, raw_b->at, raw_a->len);
    case TYPE_DOC:
    case TYPE_DOCS:
        break;
    }
    return false;
}

/* Not of documents within that are there: those are looked into. */
static bool unchanged(const struct field *field, const void *before, const void *after)
{
    bool was = !field_absent(field, before), is = !field_absent(field, after);
    return was == is && (!is || equal(field, before, after));
}

static void replace(struct diff *diff, const struct field *field, const void *after,
                    const char *path)
{
    if (!doc_bson_append(field, after, path, diff->set))
        bson_append_int32(diff->unset, path, -1, 1);
    diff->len++;
}

static void diff_field(struct diff *diff, const struct field *field, const void *before,
                       const void *after, const char *path);

static void diff_fields(struct diff *diff, const struct doc *doc, const void *before,
                        const void *after, const char *prefix)
{
    for (size_t i = 0; i < doc->len; i++) {
        char path[PATH_MAX_BYTES];
        if (unchanged(&doc->fields[i], before, after))
            continue; /* most are, and printing is slow */
        snprintf(path, sizeof path, "%s.%s", prefix, doc_bson_name(&doc->fields[i]));
        diff_field(diff, &doc->fields[i], before, after, path);
    }
}

static void replace_element(struct diff *diff, const struct doc *doc, const void *after,
                            const char *path)
{
    bson_t element;
    BSON_APPEND_DOCUMENT_BEGIN(diff->set, path, &element);
    doc_bson_encode(doc, after, &element);
    bson_append_document_end(diff->set, &element);
    diff->len++;
}

static void diff_docs(struct diff *diff, const struct field *field, struct list before,
                      struct list after, const char *path)
{
    for (size_t i = 0; i < after.len; i++) {
        char prefix[PATH_MAX_BYTES];
        snprintf(prefix, sizeof prefix, "%s.%zu", path, i);
        const char *was = (const char *)before.at + i * field->doc->size;
        const char *is = (const char *)after.at + i * field->doc->size;
        if (diff->whole && diff->whole(field, was, is))
            replace_element(diff, field->doc, is, prefix);
        else
            diff_fields(diff, field->doc, was, is, prefix);
    }
}

static void diff_field(struct diff *diff, const struct field *field, const void *before,
                       const void *after, const char *path)
{
    bool was = !field_absent(field, before), is = !field_absent(field, after);
    if (unchanged(field, before, after))
        return;
    if (field->type == TYPE_DOC && was && is) {
        diff_fields(diff, field->doc, (const char *)before + field->offset,
                    (const char *)after + field->offset, path);
        return;
    }
    struct list from = {0}, to = {0};
    if (field->type == TYPE_DOCS) {
        from = field_list(field, before);
        to = field_list(field, after);
    }
    if (to.len && from.len == to.len)
        diff_docs(diff, field, from, to, path);
    else
        replace(diff, field, after, path);
}

static bool named(const char *const *names, const char *name)
{
    for (; names && *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

size_t doc_diff(const struct doc *doc, const void *before, const void *after,
                const char *const *skip, doc_diff_whole *whole, bson_t *set, bson_t *unset)
{
    struct diff diff = {.set = set, .unset = unset, .whole = whole};
    for (size_t i = 0; i < doc->len; i++) {
        const struct field *field = &doc->fields[i];
        const char *path = doc_bson_name(field);
        if (strcmp(path, "_id") != 0 && !named(skip, path))
            diff_field(&diff, field, before, after, path);
    }
    return diff.len;
}
