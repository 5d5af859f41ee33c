/* Fuzzes signed media URLs: what is signed holds until it expires and for its prefix only, and a
 * grant that was not given is refused. */
#include <stdlib.h>
#include <string.h>

#include "gateway/media_url.h"
#include "proto/file_path.h"
#include "tests/fuzz/fuzz.h"

#define SECRET "0123456789abcdef"
#define KEY "projects/p/scenes/s/j/main.m3u8"
static const int64_t expires_s = 1800000000;

static enum error check(const char *grant, const char *key, int64_t now_s)
{
    struct err err = {0};
    int result = media_url_check(grant, key, SECRET, now_s, &err);
    if ((result == 0) != (err.code == ERR_NONE))
        abort();
    return err.code;
}

static void sign_key(const char *key, struct arena *arena)
{
    const char *path = media_url_path(arena, SECRET, expires_s, key);
    if (!path) {
        if (check("1800000000.x", key, 0) == ERR_NONE)
            abort();
        return;
    }
    const char *grant = path + strlen("/media/");
    const char *slash = strchr(grant, '/');
    if (strncmp(path, "/media/", 7) != 0 || !slash || strcmp(slash + 1, key) != 0)
        abort();
    grant = arena_strndup(arena, grant, (size_t)(slash - grant));
    const char *sibling = arena_printf(arena, "%.*sx", (int)file_prefix_len(key), key);
    if (media_url_expires(grant) != expires_s || check(grant, key, expires_s - 1) != ERR_NONE ||
        check(grant, sibling, expires_s - 1) !=
            (strlen(sibling) > OBJECT_KEY_MAX ? ERR_OBJECT_NOT_FOUND : ERR_NONE))
        abort();
    if (check(grant, key, expires_s) != ERR_URL_EXPIRED ||
        check(grant, "projects/p/scenes/s/another/x", 0) != ERR_INVALID_SIGNATURE)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena arena = {0};
    const char *text = arena_strndup(&arena, (const char *)bytes, len);
    sign_key(text, &arena);
    if (check(text, KEY, 0) != ERR_INVALID_SIGNATURE || media_url_expires(text) == 0 ||
        media_url_expires(text) < -1)
        abort();
    arena_release(&arena);
    return 0;
}
