/* Reads every file of proto/examples: good-<table>-<n>.json is taken and printed alike each time,
 * and bad-<table>-<code>[-<n>].json is refused with that code. */
#include <dirent.h>

#include "check.h"
#include "common/cleanup.h"
#include "common/doc_json.h"
#include "proto/hello.h"
#include "proto/scene.h"
#include "proto/ticket.h"

static const struct doc *const docs[] = {&media_store_doc, &hello_params_doc, &ticket_doc};
static struct arena arena;

/* "media_store-unknown-field-2.json": the table, and what follows. */
static const struct doc *table_of(const char *name, const char **rest)
{
    for (size_t i = 0; i < sizeof docs / sizeof docs[0]; i++) {
        size_t len = strlen(docs[i]->name);
        if (strncmp(name, docs[i]->name, len) == 0 && name[len] == '-') {
            *rest = name + len + 1;
            return docs[i];
        }
    }
    return NULL;
}

static bool same_code(const char *rest, const char *code)
{
    size_t len = strlen(code);
    if (strncmp(rest, code, len) != 0)
        return false;
    rest += len;
    rest += rest[0] == '-' ? 1 + strspn(rest + 1, "0123456789") : 0;
    return strcmp(rest, ".json") == 0;
}

static struct text read_file(const char *name)
{
    struct text text = {.arena = &arena};
    const char *path = arena_printf(&arena, SOURCE_DIR "/proto/examples/%s", name);
    CLEANUP(fclose_at) FILE *file = fopen(path, "re");
    char piece[4096];
    CHECK(file != NULL);
    text_puts(&text, "");
    for (size_t n; (n = fread(piece, 1, sizeof piece, file)) > 0;)
        text_add(&text, piece, n);
    return text;
}

static struct text print(const struct doc *doc, const struct text *json)
{
    struct text out = {.arena = &arena};
    struct err err = {0};
    void *object = arena_alloc(&arena, doc->size);
    if (doc_json_decode(doc, json->at, json->len, 0, &arena, object, &err) != 0)
        fprintf(stderr, "%s: %s %s\n", doc->name, err.detail, err.pointer);
    CHECK_INT(err.code, ERR_NONE);
    doc_json_encode(doc, object, &out);
    return out;
}

static void try_good(const struct doc *doc, const struct text *json)
{
    struct text once = print(doc, json), twice = print(doc, &once);
    CHECK_STR(once.at, twice.at);
}

static void try_bad(const struct doc *doc, const struct text *json, const char *name,
                    const char *rest)
{
    struct err err = {0};
    void *object = arena_alloc(&arena, doc->size);
    CHECK_INT(doc_json_decode(doc, json->at, json->len, 0, &arena, object, &err), -1);
    if (!same_code(rest, error_name(err.code)))
        fprintf(stderr, "%s: %s: %s\n", name, error_name(err.code), err.detail);
    CHECK(same_code(rest, error_name(err.code)));
}

static void every_example_is_as_its_name_says(void)
{
    CLEANUP(closedir_at) DIR *dir = opendir(SOURCE_DIR "/proto/examples");
    CHECK(dir != NULL);
    int good = 0, bad = 0;
    for (const struct dirent *entry; (entry = readdir(dir));) {
        const char *name = entry->d_name, *rest = NULL;
        if (name[0] == '.')
            continue;
        bool is_good = strncmp(name, "good-", 5) == 0;
        CHECK(is_good || strncmp(name, "bad-", 4) == 0);
        const struct doc *doc = table_of(strchr(name, '-') + 1, &rest);
        if (!doc)
            fprintf(stderr, "%s: of no table that this test knows\n", name);
        CHECK(doc != NULL);
        struct text json = read_file(name);
        if (is_good)
            try_good(doc, &json);
        else
            try_bad(doc, &json, name, rest);
        good += is_good;
        bad += !is_good;
        arena_reset(&arena);
    }
    CHECK(good >= 7 && bad >= 30);
}

int main(void)
{
    RUN(every_example_is_as_its_name_says);
    arena_release(&arena);
}
