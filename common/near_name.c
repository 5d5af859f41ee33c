/* The field whose name somebody probably meant: the least edit distance (Levenshtein). */
#include "common/near_name.h"

#include <string.h>

enum { NAME_MAX_LEN = 64, EDITS_MAX = 2 };

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

static size_t distance(const char *a, const char *b)
{
    size_t len = strlen(b), row[NAME_MAX_LEN + 1];
    for (size_t i = 0; i <= len; i++)
        row[i] = i;
    for (size_t j = 1; *a; a++, j++) {
        size_t diagonal = row[0];
        row[0] = j;
        for (size_t i = 1; i <= len; i++) {
            size_t above = row[i];
            row[i] = least(above + 1, row[i - 1] + 1, diagonal + (b[i - 1] != *a));
            diagonal = above;
        }
    }
    return row[len];
}

const char *near_name(const struct doc *doc, const char *name)
{
    const char *nearest = NULL;
    size_t edits = EDITS_MAX + 1;
    if (strlen(name) > NAME_MAX_LEN)
        return NULL;
    for (size_t i = 0; i < doc->len; i++) {
        const struct field *field = &doc->fields[i];
        if ((field->flags & FIELD_HIDDEN) || strlen(field->name) > NAME_MAX_LEN)
            continue;
        size_t now = distance(name, field->name);
        /* Two edits turn any short name into any other. */
        if (now < edits && now < strlen(field->name)) {
            edits = now;
            nearest = field->name;
        }
    }
    return nearest;
}
