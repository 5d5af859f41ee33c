/* Fuzzes reading JSON by tables: whatever is taken must print, and read and print again alike. */
#include <stdlib.h>
#include <string.h>

#include "common/doc_json.h"
#include "proto/hello.h"
#include "proto/job.h"
#include "proto/scene.h"
#include "proto/ticket.h"
#include "tests/fuzz/fuzz.h"

static const struct doc *const docs[] = {&media_store_doc, &hello_params_doc, &ticket_doc,
                                         &scene_doc, &job_doc};

static void try_doc(const struct doc *doc, const char *json, size_t len, unsigned flags,
                    struct arena *arena)
{
    struct err err = {0};
    struct text once = {.arena = arena}, twice = {.arena = arena};
    void *object = arena_alloc(arena, doc->size);
    if (doc_json_decode(doc, json, len, flags, arena, object, &err) != 0) {
        if (err.code == ERR_NONE || err.detail[0] == '\0')
            abort();
        return;
    }
    doc_json_encode(doc, object, &once);
    if (doc_json_decode(doc, once.at, once.len, 0, arena, object, &err) != 0)
        abort();
    doc_json_encode(doc, object, &twice);
    if (strcmp(once.at, twice.at) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof docs / sizeof docs[0]; i++)
        for (unsigned flags = 0; flags <= DOC_JSON_LENIENT; flags++)
            try_doc(docs[i], (const char *)bytes, len, flags, &arena);
    arena_release(&arena);
    return 0;
}
