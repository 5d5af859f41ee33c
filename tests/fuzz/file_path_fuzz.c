/* Fuzzes object keys and identifiers: a key's prefix is the one that its parts make. */
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "proto/file_path.h"
#include "tests/fuzz/fuzz.h"

static const char *part(const char **at, struct arena *arena)
{
    size_t len = strcspn(*at, "/");
    const char *copy = arena_strndup(arena, *at, len);
    *at += len + ((*at)[len] == '/');
    return copy;
}

static void check_prefix(const char *key, size_t len, struct arena *arena)
{
    char again[OBJECT_KEY_MAX + 1];
    const char *parts[5], *at = key, *why;
    for (size_t i = 0; i < 5; i++)
        parts[i] = part(&at, arena);
    if (at != key + len || strcmp(parts[0], "projects") != 0 || strcmp(parts[2], "scenes") != 0)
        abort();
    if (file_prefix(parts[1], parts[3], parts[4], again) != 0 || strlen(again) != len ||
        memcmp(again, key, len) != 0)
        abort();
    for (size_t i = 0; i < 5; i++)
        if (ident_check(parts[i], &why) != ERR_NONE)
            abort();
}

static void check_key(const char *key, struct arena *arena)
{
    if (strlen(key) > OBJECT_KEY_MAX || key[0] == '/' || strstr(key, "//"))
        abort();
    for (const char *at = key; *at;) {
        const char *name = part(&at, arena);
        if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            abort();
    }
}

/* What one identifier may be, a key of one part may be. */
static void check_ids(const char *text)
{
    const char *why;
    bool ident = ident_check(text, &why) == ERR_NONE;
    if (ident && (strchr(text, '/') || !object_key_valid(text)))
        abort();
    if ((ulid_check(text, &why) == ERR_NONE && (!ident || strlen(text) != 26)) ||
        (oid_check(text, &why) == ERR_NONE && (!ident || strlen(text) != 24)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena arena = {0};
    char out[OBJECT_KEY_MAX + 1];
    const char *text = arena_strndup(&arena, (const char *)bytes, len), *at = text;
    size_t prefix_len = file_prefix_len(text);
    if (prefix_len > 0)
        check_prefix(text, prefix_len, &arena);
    if (object_key_valid(text))
        check_key(text, &arena);
    check_ids(text);
    const char *project = part(&at, &arena), *scene = part(&at, &arena);
    if (file_prefix(project, scene, at, out) == 0 &&
        (file_prefix_len(out) != strlen(out) || strchr(at, '/')))
        abort();
    if (!file_kind(text)->content_type)
        abort();
    arena_release(&arena);
    return 0;
}
