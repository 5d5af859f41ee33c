/* Fuzzes paths and queries: what a query gives, the JSON codec takes, too; captures are text. */
#include <stdlib.h>
#include <string.h>

#include "common/doc_json.h"
#include "common/utf8.h"
#include "gateway/query.h"
#include "gateway/router.h"
#include "tests/fuzz/fuzz.h"

static void check_text(const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0, step; i < len; i += step)
        if ((step = utf8_len(text + i, len - i)) == 0 || (unsigned char)text[i] < ' ')
            abort();
}

/* Escaped byte by byte it must read alike. */
static void check_unescape(const char *escaped, struct arena *arena)
{
    struct text every = {.arena = arena};
    const char *plain = query_unescape(arena, escaped, strlen(escaped), true);
    if (!plain)
        return;
    check_text(plain);
    text_puts(&every, "");
    for (const char *c = plain; *c; c++)
        text_printf(&every, "%%%02x", (unsigned)(unsigned char)*c);
    const char *again = query_unescape(arena, every.at, every.len, true);
    if (!again || strcmp(again, plain) != 0)
        abort();
}

static void try_query(const struct doc *doc, const char *query, struct arena *arena)
{
    struct err err = {0};
    struct text json = {.arena = arena};
    void *object = arena_alloc(arena, doc->size);
    if (query_decode(doc, query, arena, object, &err) != 0) {
        if (err.code == ERR_NONE || err.code == ERR_INTERNAL)
            abort();
        return;
    }
    doc_json_encode(doc, object, &json);
    if (doc_json_decode(doc, json.at, json.len, 0, arena, object, &err) != 0)
        abort();
}

static void try_path(const char *method, const char *path)
{
    struct request request = {.method = method, .path = path};
    char allow[ROUTER_ALLOW_MAX], name[64];
    struct err err = {0};
    if (router_find(&request, allow, &err) == 0) {
        for (size_t i = 0; i < request.captures_len; i++) {
            const struct capture *capture = &request.captures[i];
            if (capture->len == 0 || capture->at < path || capture->name_len >= sizeof name ||
                capture->at + capture->len > path + strlen(path))
                abort();
            memcpy(name, capture->name, capture->name_len);
            name[capture->name_len] = '\0';
            const char *value = request_capture(&request, name);
            if (value)
                check_text(value);
        }
    } else if (err.code != ERR_NOT_FOUND && err.code != ERR_METHOD_NOT_ALLOWED) {
        abort();
    }
    arena_release(&request.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "DELETE"};
    struct arena arena = {0};
    const char *path = arena_strndup(&arena, (const char *)bytes, len);
    const char *query = strchr(path, '?');
    if (query)
        path = arena_strndup(&arena, path, (size_t)(query++ - path));
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        try_path(methods[i], path);
    for (size_t i = 0; query && i < ROUTE_COUNT; i++)
        if (routes[i].query)
            try_query(routes[i].query, query, &arena);
    check_unescape(path, &arena);
    if (query)
        check_unescape(query, &arena);
    arena_release(&arena);
    return 0;
}
