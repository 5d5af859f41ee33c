/* Look-ups in the tables that describe documents. */
#include "proto/doc.h"

#include <string.h>

const struct field *doc_field(const struct doc *doc, const char *name)
{
    for (size_t i = 0; i < doc->len; i++)
        if (strcmp(doc->fields[i].name, name) == 0)
            return &doc->fields[i];
    return NULL;
}

struct list field_list(const struct field *field, const void *object)
{
    struct list list;
    memcpy(&list, (const char *)object + field->offset, sizeof list);
    return list;
}

static bool doc_absent(const struct doc *doc, const void *object)
{
    for (size_t i = 0; i < doc->len; i++)
        if (!field_absent(&doc->fields[i], object))
            return false;
    return true;
}

bool field_absent(const struct field *field, const void *object)
{
    const void *member = (const char *)object + field->offset;
    switch (field->type) {
    case TYPE_STR:
        return *(const char *const *)member == NULL;
    case TYPE_BOOL:
        return !*(const bool *)member;
    case TYPE_INT64:
        return *(const int64_t *)member == 0;
    case TYPE_DOUBLE:
        return *(const double *)member == 0.0;
    case TYPE_ENUM:
        return *(const unsigned *)member == 0;
    case TYPE_DOC:
        return doc_absent(field->doc, member);
    case TYPE_DOCS:
    case TYPE_STRS:
    case TYPE_INTS:
        return field_list(field, object).len == 0;
    case TYPE_RAW:
        return ((const struct raw *)member)->at == NULL;
    }
    return true;
}

unsigned field_enum(const struct field *field, const char *name)
{
    for (unsigned i = 1; field->names[i]; i++)
        if (strcmp(field->names[i], name) == 0)
            return i;
    return 0;
}
