/* Fuzzes the XML reader: paths and texts keep their bounds, and written plainly read alike. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/s3_xml.h"
#include "tests/fuzz/fuzz.h"

enum { ELEMENTS_MAX = 64 };

struct element {
    const char *path, *text;
};
struct elements {
    struct arena *arena;
    struct element at[ELEMENTS_MAX];
    size_t len;
};

static int take(void *arg, const char *path, const char *text)
{
    struct elements *elements = arg;
    size_t slashes = 0, len = strlen(text);
    for (const char *c = path; *c; c++)
        slashes += *c == '/';
    if (path[0] == '\0' || slashes >= S3_XML_DEPTH || len > S3_XML_TEXT)
        abort();
    if (len > 0 && (isspace((unsigned char)text[0]) || isspace((unsigned char)text[len - 1])))
        abort();
    if (elements->len == ELEMENTS_MAX)
        return -1;
    elements->at[elements->len++] =
        (struct element){arena_strdup(elements->arena, path), arena_strdup(elements->arena, text)};
    return 0;
}

static void write_text(struct text *xml, const char *text)
{
    for (; *text; text++)
        if (strchr("<>&\"'", *text))
            text_printf(xml, "&#%d;", *text);
        else
            text_add(xml, text, 1);
}

/* <a><b>text</b></a> for "a/b". */
static void write_plainly(struct text *xml, const struct element *element)
{
    const char *starts[S3_XML_DEPTH];
    size_t depth = 0;
    for (const char *at = element->path; depth < S3_XML_DEPTH; at += strcspn(at, "/") + 1) {
        size_t len = strcspn(at, "/");
        text_printf(xml, "<%.*s>", (int)len, at);
        starts[depth++] = at;
        if (at[len] == '\0')
            break;
    }
    write_text(xml, element->text);
    while (depth-- > 0)
        text_printf(xml, "</%.*s>", (int)strcspn(starts[depth], "/"), starts[depth]);
}

static void check(const struct element *element, struct arena *arena)
{
    struct elements again = {.arena = arena};
    struct text xml = {.arena = arena};
    struct err err = {0};
    write_plainly(&xml, element);
    if (s3_xml_read(xml.at, xml.len, NULL, take, &again, &err) != 0 ||
        strcmp(again.at[0].path, element->path) != 0 ||
        strcmp(again.at[0].text, element->text) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena arena = {0};
    struct elements elements = {.arena = &arena};
    struct err err = {0};
    int result = s3_xml_read((const char *)bytes, len, NULL, take, &elements, &err);
    if ((result == 0) != (err.code == ERR_NONE) || (result == 0 && elements.len == 0))
        abort();
    for (size_t i = 0; i < elements.len; i++)
        check(&elements.at[i], &arena);
    arena_release(&arena);
    return 0;
}
