/* Fuzzes reading BSON by tables, and printing free-form BSON as JSON. */
#include "common/doc_bson.h"
#include "common/doc_json.h"
#include "proto/job.h"
#include "proto/scene.h"
#include "tests/fuzz/fuzz.h"

static const struct doc *const docs[] = {&job_doc, &scene_doc};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct arena arena = {0};
    struct raw raw = {bytes, len};
    struct text text = {.arena = &arena};
    bson_t bson;
    json_raw(&text, &raw);
    if (bson_init_static(&bson, bytes, len))
        for (size_t i = 0; i < sizeof docs / sizeof docs[0]; i++) {
            struct err err = {0};
            void *object = arena_alloc(&arena, docs[i]->size);
            if (doc_bson_decode(docs[i], &bson, &arena, object, &err) == 0)
                doc_json_encode(docs[i], object, &text);
        }
    arena_release(&arena);
    return 0;
}
