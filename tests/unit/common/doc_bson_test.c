/* Round trips of every field type, and what a record that somebody else wrote may look like. */
#include "common/doc_bson.h"

#include <math.h>

#include "check.h"
#include "proto/job.h"
#include "proto/transcode.h"

enum colour { COLOUR_NONE, COLOUR_RED, COLOUR_BLUE };
static const char *const colour_names[] = {NULL, "red", "blue", NULL};

struct part {
    const char *name;
    int64_t size;
};
struct parts {
    struct part *at;
    size_t len;
};
struct thing {
    const char *id, *text, *owner;
    bool on;
    int64_t count, at, level;
    double ratio;
    enum colour colour;
    struct part part;
    struct parts parts;
    struct strs words;
    struct ints numbers;
    struct raw extra;
};
static const struct field part_fields[] = {FIELD(part, name, .min = 0),
                                           FIELD(part, size, .min = 0)};
static const struct doc part_doc = DOC(part, part_fields);
static const struct field thing_fields[] = {
    FIELD(thing, id, .flags = FIELD_ID),
    FIELD(thing, text, .min = 0),
    FIELD(thing, owner, .flags = FIELD_OID),
    FIELD(thing, on, .min = 0),
    FIELD(thing, count, .min = 0),
    FIELD(thing, at, .flags = FIELD_TIME),
    FIELD(thing, level, .flags = FIELD_ALWAYS),
    FIELD(thing, ratio, .min = 0),
    FIELD(thing, colour, .names = colour_names),
    FIELD_DOC(thing, part, part, .min = 0),
    FIELD_DOCS(thing, parts, part, .min = 0),
    FIELD(thing, words, .min = 0),
    FIELD(thing, numbers, .min = 0),
    FIELD(thing, extra, .min = 0),
};
static const struct doc thing_doc = DOC(thing, thing_fields);

static bson_type_t type_of(const bson_t *bson, const char *path)
{
    bson_iter_t iter, found;
    if (!bson_iter_init(&iter, bson) || !bson_iter_find_descendant(&iter, path, &found))
        return BSON_TYPE_EOD;
    return bson_iter_type(&found);
}

static struct thing full_thing(struct arena *arena)
{
    static struct part parts[] = {{"a", 1}, {0}, {"c", INT64_MAX}};
    static const char *words[] = {"one", "", "\xc3\xbc"};
    static int64_t numbers[] = {INT64_MIN, 0, (INT64_C(1) << 53) + 1};
    return (struct thing){
        .id = "k1",
        .text = "t\xe2\x82\xac",
        .owner = "0123456789abcdef01234567",
        .on = true,
        .count = INT64_MIN,
        .at = 1767225600123,
        .level = 7,
        .ratio = -0.25,
        .colour = COLOUR_BLUE,
        .part = {"p", 9},
        .parts = {parts, 3},
        .words = {words, 3},
        .numbers = {numbers, 3},
        .extra = doc_bson_pack(&part_doc, &(struct part){"x", 5}, arena),
    };
}

static void test_round_trip(void)
{
    struct arena arena = {0};
    struct err err = {0};
    struct thing in = full_thing(&arena), out;
    bson_t bson = BSON_INITIALIZER;
    doc_bson_encode(&thing_doc, &in, &bson);
    CHECK_INT(type_of(&bson, "_id"), BSON_TYPE_UTF8);
    CHECK_INT(type_of(&bson, "id"), BSON_TYPE_EOD);
    CHECK_INT(type_of(&bson, "owner"), BSON_TYPE_OID);
    CHECK_INT(type_of(&bson, "at"), BSON_TYPE_DATE_TIME);
    CHECK_INT(type_of(&bson, "count"), BSON_TYPE_INT64);
    CHECK_INT(type_of(&bson, "colour"), BSON_TYPE_UTF8);
    CHECK_INT(type_of(&bson, "parts.1"), BSON_TYPE_DOCUMENT);
    CHECK_INT(doc_bson_decode(&thing_doc, &bson, &arena, &out, &err), 0);
    bson_destroy(&bson); /* what was decoded must not point into it */

    CHECK_STR(out.id, in.id);
    CHECK_STR(out.text, in.text);
    CHECK_STR(out.owner, in.owner);
    CHECK(out.on);
    CHECK_INT(out.count, in.count);
    CHECK_INT(out.at, in.at);
    CHECK_INT(out.level, 7);
    CHECK(out.ratio == in.ratio);
    CHECK_INT(out.colour, COLOUR_BLUE);
    CHECK_STR(out.part.name, "p");
    CHECK_INT(out.part.size, 9);
    CHECK_INT(out.parts.len, 3);
    CHECK_STR(out.parts.at[0].name, "a");
    CHECK_STR(out.parts.at[1].name, NULL);
    CHECK_INT(out.parts.at[2].size, INT64_MAX);
    CHECK_INT(out.words.len, 3);
    CHECK_STR(out.words.at[1], "");
    CHECK_STR(out.words.at[2], "\xc3\xbc");
    CHECK_INT(out.numbers.len, 3);
    CHECK_INT(out.numbers.at[0], INT64_MIN);
    CHECK_INT(out.numbers.at[2], (INT64_C(1) << 53) + 1);
    struct part extra;
    CHECK_INT(doc_bson_unpack(&part_doc, &out.extra, &arena, &extra, &err), 0);
    CHECK_STR(extra.name, "x");
    CHECK_INT(extra.size, 5);
    arena_release(&arena);
}

static void test_absent(void)
{
    struct arena arena = {0};
    struct err err = {0};
    struct thing out = {.text = "left over"};
    bson_t bson = BSON_INITIALIZER;
    doc_bson_encode(&thing_doc, &(struct thing){0}, &bson);
    CHECK_INT(bson_count_keys(&bson), 1);
    CHECK_INT(type_of(&bson, "level"), BSON_TYPE_INT64);
    CHECK_INT(doc_bson_decode(&thing_doc, &bson, &arena, &out, &err), 0);
    for (size_t i = 0; i < thing_doc.len; i++)
        CHECK(field_absent(&thing_fields[i], &out));
    bson_destroy(&bson);

    struct raw none = doc_bson_pack(&part_doc, &(struct part){0}, &arena);
    CHECK(none.at == NULL);
    struct part part = {"left over", 1};
    CHECK_INT(doc_bson_unpack(&part_doc, &none, &arena, &part, &err), 0);
    CHECK(!part.name && !part.size);
    arena_release(&arena);
}

static void test_lenient(void)
{
    struct arena arena = {0};
    struct err err = {0};
    struct thing out;
    bson_t *bson = BCON_NEW("new", "{", "x", BCON_INT32(1), "}", "count", BCON_INT32(-3), "ratio",
                            BCON_INT64(2), "text", BCON_NULL, "level", BCON_DOUBLE(4.0), "owner",
                            BCON_UTF8("not an oid"), "at", BCON_INT64(5), "words", "[", "]");
    CHECK_INT(doc_bson_decode(&thing_doc, bson, &arena, &out, &err), 0);
    CHECK_INT(out.count, -3);
    CHECK(out.ratio == 2.0);
    CHECK_STR(out.text, NULL);
    CHECK_INT(out.level, 4);
    CHECK_STR(out.owner, "not an oid");
    CHECK_INT(out.at, 5);
    CHECK(out.words.at == NULL && out.words.len == 0);
    bson_destroy(bson);
    arena_release(&arena);
}

static void refused(bson_t *bson, const char *detail)
{
    struct arena arena = {0};
    struct err err = {0};
    struct thing out;
    CHECK_INT(doc_bson_decode(&thing_doc, bson, &arena, &out, &err), -1);
    CHECK_INT(err.code, ERR_INTERNAL);
    if (!strstr(err.detail, detail))
        CHECK_STR(err.detail, detail);
    bson_destroy(bson);
    arena_release(&arena);
}

static void test_refused(void)
{
    refused(BCON_NEW("text", BCON_INT32(1)), "text: not a string");
    refused(BCON_NEW("on", BCON_INT32(1)), "on: not a boolean");
    refused(BCON_NEW("count", BCON_DOUBLE(1.5)), "count: not an integer");
    refused(BCON_NEW("count", BCON_DOUBLE(0x1p63)), "count: not an integer");
    refused(BCON_NEW("count", BCON_DOUBLE((double)NAN)), "count: not an integer");
    refused(BCON_NEW("count", BCON_DATE_TIME(1)), "count: not an integer");
    refused(BCON_NEW("at", BCON_UTF8("now")), "at: not a time");
    refused(BCON_NEW("ratio", BCON_DOUBLE((double)INFINITY)), "ratio: not a finite number");
    refused(BCON_NEW("colour", BCON_UTF8("green")), "colour: not one of its names");
    refused(BCON_NEW("part", "[", "]"), "part: not a document");
    refused(BCON_NEW("part", "{", "size", BCON_UTF8("9"), "}"), "part: size: not an integer");
    refused(BCON_NEW("parts", "{", "}"), "parts: not a list");
    refused(BCON_NEW("words", "[", BCON_INT32(1), "]"), "words: not a string");
    refused(BCON_NEW("extra", BCON_UTF8("{}")), "extra: not a document");

    bson_t *bytes = bson_new();
    bson_append_utf8(bytes, "text", -1, "\xff", 1);
    refused(bytes, "text: not valid UTF-8");
    bytes = bson_new();
    bson_append_utf8(bytes, "text", -1, "a\0b", 3);
    refused(bytes, "text: not valid UTF-8");
}

static void test_cut(void)
{
    struct arena arena = {0};
    struct err err = {0};
    struct thing in = full_thing(&arena), out;
    struct raw whole = doc_bson_pack(&thing_doc, &in, &arena);
    for (size_t len = 0; len < whole.len; len++) {
        /* The length says the truth, the contents end in the middle. */
        uint8_t *cut = malloc(len + 1);
        memcpy(cut, whole.at, len);
        uint32_t size = BSON_UINT32_TO_LE((uint32_t)len);
        if (len >= 5) {
            memcpy(cut, &size, 4);
            cut[len - 1] = 0;
        }
        struct raw raw = {cut, len};
        doc_bson_unpack(&thing_doc, &raw, &arena, &out, &err);
        free(cut);
    }
    CHECK_INT(
        doc_bson_unpack(&thing_doc, &(struct raw){whole.at, whole.len - 1}, &arena, &out, &err),
        -1);
    arena_release(&arena);
}

static void test_real_tables(void)
{
    struct arena arena = {0};
    struct err err = {0};
    struct rendition rendition = {.name = "720p", .peak_bps = 1, .frame_rate = 23.976};
    struct transcode_result result = {.playlist = "master.m3u8", .renditions = {&rendition, 1}};
    struct task task = {.name = "transcode",
                        .kind = KIND_TRANSCODE,
                        .state = TASK_FAILED,
                        .result = doc_bson_pack(&transcode_result_doc, &result, &arena),
                        .error = {ERR_TIMEOUT, "too slow"}};
    struct job in = {.id = "01J", .tasks = {&task, 1}}, out;
    struct raw raw = doc_bson_pack(&job_doc, &in, &arena);
    CHECK_INT(doc_bson_unpack(&job_doc, &raw, &arena, &out, &err), 0);
    CHECK_STR(out.id, "01J");
    CHECK_INT(out.tasks.len, 1);
    CHECK_INT(out.tasks.at[0].kind, KIND_TRANSCODE);
    CHECK_INT(out.tasks.at[0].error.code, ERR_TIMEOUT);
    struct transcode_result back;
    CHECK_INT(doc_bson_unpack(&transcode_result_doc, &out.tasks.at[0].result, &arena, &back, &err),
              0);
    CHECK_INT(back.renditions.len, 1);
    CHECK(back.renditions.at[0].frame_rate == 23.976);
    arena_release(&arena);
}

int main(void)
{
    RUN(test_round_trip);
    RUN(test_absent);
    RUN(test_lenient);
    RUN(test_refused);
    RUN(test_cut);
    RUN(test_real_tables);
    return 0;
}
