/* Tests of common/doc_schema.c. */
#include "common/doc_schema.h"

#include "check.h"

static const char *const names[] = {NULL, "a", "b", NULL};

struct part {
    const char *x;
};
static const struct field part_fields[] = {FIELD(part, x, .text = "X.")};
static const struct doc part_doc = DOC(part, part_fields);

struct parts {
    struct part *at;
    size_t len;
};
enum letter { LETTER_NONE, LETTER_A, LETTER_B };
struct sample {
    const char *str, *oid, *secret, *hidden;
    bool flag;
    int64_t whole, time;
    double real;
    enum letter letter;
    struct part part;
    struct parts parts;
    struct strs strs;
    struct ints ints;
    struct raw raw;
};
static const struct field fields[] = {
    FIELD(sample, str, .flags = FIELD_REQUIRED, .min = 2, .max = 8, .text = "Say \"x\"."),
    FIELD(sample, oid, .flags = FIELD_OID),
    FIELD(sample, secret, .flags = FIELD_SECRET),
    FIELD(sample, hidden, .flags = FIELD_HIDDEN | FIELD_REQUIRED),
    FIELD(sample, flag, .flags = 0),
    FIELD(sample, whole, .flags = FIELD_REQUIRED, .min = 1, .max = 9),
    FIELD(sample, time, .flags = FIELD_TIME),
    FIELD(sample, real, .flags = 0),
    FIELD(sample, letter, .names = names),
    FIELD_DOC(sample, part, part, .flags = 0),
    FIELD_DOCS(sample, parts, part, .max = 3),
    FIELD(sample, strs, .flags = 0),
    FIELD(sample, ints, .flags = 0),
    FIELD(sample, raw, .flags = 0),
};
static const struct doc sample_doc = DOC(sample, fields);

static void every_type_has_its_words(void)
{
    struct arena arena = {0};
    struct text text = {.arena = &arena};
    doc_schema(&sample_doc, &text);
    CHECK_STR(text.at,
              "{\"type\":\"object\",\"properties\":{"
              "\"str\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":8,\"description\":\"Say "
              "\\\"x\\\".\"},"
              "\"oid\":{\"type\":\"string\",\"pattern\":\"^[0-9a-fA-F]{24}$\"},"
              "\"secret\":{\"type\":\"string\",\"writeOnly\":true},"
              "\"flag\":{\"type\":\"boolean\"},"
              "\"whole\":{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":1,\"maximum\":9},"
              "\"time\":{\"type\":\"string\",\"format\":\"date-time\"},"
              "\"real\":{\"type\":\"number\"},"
              "\"letter\":{\"type\":\"string\",\"enum\":[\"a\",\"b\"]},"
              "\"part\":{\"$ref\":\"#/components/schemas/part\"},"
              "\"parts\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/"
              "part\"},\"maxItems\":3},"
              "\"strs\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
              "\"ints\":{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"format\":\"int64\"}},"
              "\"raw\":{\"type\":\"object\"}},"
              "\"required\":[\"str\",\"whole\"]}");
    text = (struct text){.arena = &arena};
    doc_schema(&part_doc, &text);
    CHECK_STR(text.at, "{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"string\","
                       "\"description\":\"X.\"}}}");
    arena_release(&arena);
}

int main(void)
{
    RUN(every_type_has_its_words);
}
