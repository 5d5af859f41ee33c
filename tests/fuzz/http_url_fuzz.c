/* Fuzzes the judgement of URLs and the resolving of redirects. */
#include "common/http.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const struct http_policy guarded = {.guarded = true};
    struct arena arena = {0};
    struct err err = {0};
    const char *url = arena_strndup(&arena, (const char *)bytes, len), *out = NULL;
    http_check_url(url, &guarded, &err);
    if (http_resolve("https://media.example.com/a/b?c", url, &arena, &out, &err) == 0)
        http_check_url(out, &guarded, &err);
    arena_release(&arena);
    return 0;
}
