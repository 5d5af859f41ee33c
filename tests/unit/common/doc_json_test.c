/* Tests of common/doc_json_decode.c and doc_json_encode.c, over a table that has every type. */
#include "common/doc_json.h"

#include "check.h"

enum color { COLOR_NONE, COLOR_RED, COLOR_BLUE };
static const char *const color_names[] = {NULL, "red", "blue", NULL};

struct inner {
    const char *name;
    int64_t size;
};
static const struct field inner_fields[] = {
    FIELD(inner, name, .flags = FIELD_REQUIRED),
    FIELD(inner, size, .min = 1, .max = 16384),
};
static const struct doc inner_doc = DOC(inner, inner_fields);

struct inners {
    struct inner *at;
    size_t len;
};
struct every {
    const char *str, *oid, *secret, *hidden;
    bool flag;
    int64_t whole, small, always, time;
    double real;
    enum color color;
    struct inner inner;
    struct inners inners;
    struct strs strs;
    struct ints ints;
    struct raw raw;
};
static enum error no_x(const char *value, const char **why)
{
    *why = "must not have an x";
    return strchr(value, 'x') ? ERR_INVALID_FORMAT : ERR_NONE;
}
static const struct field every_fields[] = {
    FIELD(every, str, .min = 2, .max = 8, .check = no_x),
    FIELD(every, oid, .flags = FIELD_OID),
    FIELD(every, secret, .flags = FIELD_SECRET),
    FIELD(every, hidden, .flags = FIELD_HIDDEN),
    FIELD(every, flag, .text = "…"),
    FIELD(every, whole, .text = "…"),
    FIELD(every, small, .max = 9),
    FIELD_AS(every, always, "always", .flags = FIELD_ALWAYS),
    FIELD(every, time, .flags = FIELD_TIME),
    FIELD(every, real, .min = -10, .max = 10),
    FIELD(every, color, .names = color_names),
    FIELD_DOC(every, inner, inner, .text = "…"),
    FIELD_DOCS(every, inners, inner, .max = 3),
    FIELD(every, strs, .max = 3, .check = no_x),
    FIELD(every, ints, .text = "…"),
    FIELD(every, raw, .text = "…"),
};
static const struct doc every_doc = DOC(every, every_fields);

static struct arena arena;

static struct every decode(const char *json)
{
    struct every out;
    struct err err = {0};
    memset(&out, 0xAA, sizeof out);
    if (doc_json_decode(&every_doc, json, strlen(json), 0, &arena, &out, &err) != 0)
        fprintf(stderr, "%s: %s %s\n", json, err.detail, err.pointer);
    CHECK_INT(err.code, ERR_NONE);
    return out;
}

static struct err refuse_bytes(const char *json, size_t len, enum error code)
{
    struct every out = {.whole = 42};
    struct err err = {0};
    char *exact = malloc(len ? len : 1); /* so that ASan sees a read behind the end */
    memcpy(exact, json, len);
    CHECK_INT(doc_json_decode(&every_doc, exact, len, 0, &arena, &out, &err), -1);
    free(exact);
    if (err.code != code)
        fprintf(stderr, "%.*s: %s\n", (int)len, json, err.detail);
    CHECK_STR(error_name(err.code), error_name(code));
    CHECK_INT(err.code, code);
    CHECK_INT(out.whole, 42);
    CHECK(err.detail[0] != '\0');
    return err;
}

static struct err refuse(const char *json, enum error code)
{
    return refuse_bytes(json, strlen(json), code);
}

static const char *encode(const struct every *every)
{
    struct text text = {.arena = &arena};
    doc_json_encode(&every_doc, every, &text);
    return text.at;
}

static void every_type_round_trips(void)
{
    const char *json =
        "{\"str\":\"h\\u00e9 \\\"\",\"oid\":\"65a1b2c3d4e5f60718293a4b\",\"flag\":true,"
        "\"whole\":-9007199254740993,\"always\":1,\"time\":\"2026-02-03T22:00:00.123Z\","
        "\"real\":0.5,\"color\":\"blue\",\"inner\":{\"name\":\"i\",\"size\":3},"
        "\"inners\":[{\"name\":\"a\"},{\"name\":\"b\",\"size\":2}],\"strs\":[\"p\",\"\"],"
        "\"ints\":[9223372036854775807,-9223372036854775808],"
        "\"raw\":{\"a\":1,\"b\":[true,null,{\"c\":\"d\"}],\"e\":1.5,\"big\":9007199254740993}}";
    struct every every = decode(json);
    CHECK_STR(every.str, "h\xC3\xA9 \"");
    CHECK_INT(every.whole, -9007199254740993);
    CHECK_INT(every.time, 1770156000123);
    CHECK_INT(every.color, COLOR_BLUE);
    CHECK_INT(every.inners.len, 2);
    CHECK_STR(every.inners.at[1].name, "b");
    CHECK_INT(every.ints.at[1], INT64_MIN);
    const char *back = encode(&every);
    struct every again = decode(back);
    CHECK_STR(encode(&again), back);
    CHECK_STR(back, arena_printf(&arena, "%.*sh\xC3\xA9 \\\"%s", 8, json, strchr(json, ' ') + 3));
}

static void absent_is_left_out_and_null_is_absent(void)
{
    struct every every =
        decode(" {\"str\":null , \"inner\":null,\"raw\":null,\"whole\":null}\n\t\r");
    CHECK(every.str == NULL);
    CHECK_INT(every.whole, 0);
    CHECK_STR(encode(&every), "{\"always\":0}");
    every.secret = every.hidden = "s";
    CHECK_STR(encode(&every), "{\"always\":0}");
}

static void what_is_not_json(void)
{
    static const char *const rows[] = {
        "",
        " ",
        "{\"url\":",
        "{}x",
        "{} {}",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{'a':1}",
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":+1}",
        "{\"a\":-}",
        "{\"a\":1e}",
        "{\"a\":1-2}",
        "{\"a\":tru}",
        "{\"a\":NaN}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"b",
        "{\"a\":\"b\\",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\\u00",
        "\v{}",
        "{\"a\":[1}",
        "}",
        "{\"a\"}",
        "{\"a\":1 2}",
        "{,}",
        "/**/{}",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        refuse(rows[i], ERR_MALFORMED_JSON);
    refuse_bytes("{}\0", 3, ERR_MALFORMED_JSON);
    refuse_bytes("{\"a\":\"b\0\"}", 10, ERR_MALFORMED_JSON);
}

static void encodings(void)
{
    static const char *const rows[] = {
        "{\"str\":\"\xFF\"}",     "{\"str\":\"\xC0\x80\"}",       "{\"str\":\"\xE2\x82\"}",
        "{\"str\":\"\\ud800\"}",  "{\"str\":\"\\udc00\"}",        "{\"str\":\"\\ud800\\ud800\"}",
        "{\"str\":\"\\ud800x\"}", "{\"str\":\"\\ud800\\u0041\"}", "\xEF\xBB",
        "{\"\xFF\":1}",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        refuse(rows[i], ERR_INVALID_ENCODING);
    refuse("{\"str\":\"a\\u0000\"}", ERR_INVALID_VALUE);
    CHECK_STR(decode("{\"str\":\"\\uD83d\\uDE00\"}").str, "\xF0\x9F\x98\x80");
}

static void depth_is_bounded(void)
{
    char json[20001];
    memset(json, '[', 10000);
    memset(json + 10000, ']', 10000);
    refuse_bytes(json, 20000, ERR_JSON_TOO_DEEP);
    memset(json, '[', 32);
    memset(json + 32, ']', 32);
    refuse_bytes(json, 64, ERR_INVALID_BODY);
}

static void names_are_there_once_and_known(void)
{
    CHECK_STR(refuse("{\"flag\":true,\"flag\":true}", ERR_DUPLICATE_KEY).pointer, "/flag");
    CHECK_STR(refuse("{\"raw\":{\"x\":[0,{\"a\":1,\"b\":2,\"a\":1}]}}", ERR_DUPLICATE_KEY).pointer,
              "/raw/x/1/a");
    struct err err = refuse("{\"hole\":1}", ERR_UNKNOWN_FIELD);
    CHECK_STR(err.pointer, "/hole");
    CHECK_STR(err.detail, "there is no field 'hole'; did you mean 'whole'?");
    CHECK_STR(refuse("{\"completely\":1}", ERR_UNKNOWN_FIELD).detail,
              "there is no field 'completely'");
    CHECK_STR(refuse("{\"a/b~c\":1}", ERR_UNKNOWN_FIELD).pointer, "/a~1b~0c");
    refuse("{\"hidden\":\"x\"}", ERR_UNKNOWN_FIELD);
    struct every every;
    CHECK_INT(
        doc_json_decode(&every_doc, "{\"hole\":1}", 10, DOC_JSON_LENIENT, &arena, &every, &err), 0);
}

static void a_long_pointer_is_cut_to_whole_characters(void)
{
    char json[600] = "{\"";
    for (int i = 0; i < 150; i++)
        strcat(json, "\xE2\x82\xAC");
    strcat(json, "\":1}");
    struct err err = refuse(json, ERR_UNKNOWN_FIELD);
    CHECK_INT(strlen(err.pointer), 94);
}

static void types(void)
{
    static const char *const rows[][2] = {
        {"{\"str\":1}", "/str"},           {"{\"flag\":1}", "/flag"},
        {"{\"whole\":\"300\"}", "/whole"}, {"{\"real\":true}", "/real"},
        {"{\"time\":5}", "/time"},         {"{\"color\":1}", "/color"},
        {"{\"inner\":[]}", "/inner"},      {"{\"inners\":{}}", "/inners"},
        {"{\"inners\":[1]}", "/inners/0"}, {"{\"strs\":[\"a\",2]}", "/strs/1"},
        {"{\"ints\":[null]}", "/ints/0"},  {"{\"raw\":[]}", "/raw"},
        {"{\"strs\":\"a\"}", "/strs"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_STR(refuse(rows[i][0], ERR_INVALID_TYPE).pointer, rows[i][1]);
    CHECK_STR(refuse("[1]", ERR_INVALID_BODY).pointer, "");
    refuse("5", ERR_INVALID_BODY);
    CHECK_STR(refuse("{\"inners\":[{}]}", ERR_MISSING_FIELD).pointer, "/inners/0/name");
    refuse("{\"inner\":{\"name\":null}}", ERR_MISSING_FIELD);
}

static void numbers(void)
{
    static const char *const bad[] = {
        "{\"whole\":1.5}",
        "{\"whole\":1e400}",
        "{\"whole\":9223372036854775808}",
        "{\"whole\":1e19}",
        "{\"ints\":[-9223372036854775809]}",
        "{\"real\":1e400}",
        "{\"real\":10.5}",
        "{\"real\":-11}",
        "{\"inner\":{\"name\":\"a\",\"size\":0}}",
        "{\"inner\":{\"name\":\"a\",\"size\":-1}}",
        "{\"inner\":{\"name\":\"a\",\"size\":1000000000}}",
        "{\"real\":1.0000000000000000000000000000000000000000000000000000000000000000000}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refuse(bad[i], ERR_OUT_OF_RANGE);
    CHECK_INT(decode("{\"whole\":1.0}").whole, 1);
    CHECK_INT(decode("{\"whole\":-0}").whole, 0);
    CHECK_INT(decode("{\"whole\":12e2}").whole, 1200);
    CHECK(decode("{\"real\":-1E-2}").real == -0.01);
}

static void bounds_and_checks(void)
{
    CHECK_STR(refuse("{\"str\":\"a\"}", ERR_OUT_OF_RANGE).pointer, "/str");
    refuse("{\"str\":\"123456789\"}", ERR_OUT_OF_RANGE);
    CHECK_STR(refuse("{\"str\":\"x\"}", ERR_INVALID_FORMAT).detail, "must not have an x");
    CHECK_STR(refuse("{\"strs\":[\"a\",\"x\"]}", ERR_INVALID_FORMAT).pointer, "/strs/1");
    refuse("{\"small\":-1}", ERR_OUT_OF_RANGE);
    refuse("{\"strs\":[\"a\",\"b\",\"c\",\"d\"]}", ERR_TOO_MANY_ITEMS);
    refuse("{\"oid\":\"65a1\"}", ERR_INVALID_ID);
    refuse("{\"oid\":\"65a1b2c3d4e5f60718293a4g\"}", ERR_INVALID_ID);
    refuse("{\"time\":\"yesterday\"}", ERR_INVALID_FORMAT);
    CHECK_STR(refuse("{\"color\":\"green\"}", ERR_INVALID_VALUE).detail,
              "must be one of: red, blue");
}

static void free_form_objects(void)
{
    refuse("{\"raw\":{\"$oid\":\"65a1b2c3d4e5f60718293a4b\"}}", ERR_INVALID_FORMAT);
    CHECK_STR(refuse("{\"raw\":{\"a\":[{\"b.c\":1}]}}", ERR_INVALID_FORMAT).pointer,
              "/raw/a/0/b.c");
    refuse("{\"raw\":{\"\":1}}", ERR_INVALID_FORMAT);
    CHECK_STR(refuse("{\"raw\":{\"a\":[[[[1]]]]}}", ERR_JSON_TOO_DEEP).pointer, "/raw/a/0/0/0");
    decode("{\"raw\":{\"a\":[[[1]]]}}");
    refuse("{\"raw\":{\"a\":9223372036854775808}}", ERR_OUT_OF_RANGE);
    refuse("{\"raw\":{\"a\":1e400}}", ERR_OUT_OF_RANGE);
    char json[9000] = "{\"raw\":{\"a\":\"";
    size_t at = strlen(json);
    memset(json + at, 'a', 8177);
    memcpy(json + at + 8177, "\"}}", 4);
    CHECK_INT(decode(json).raw.len, 8190);
    memset(json + at, 'a', 8180);
    memcpy(json + at + 8180, "\"}}", 4);
    CHECK_STR(refuse(json, ERR_OUT_OF_RANGE).pointer, "/raw");
    struct every every = decode("{\"raw\":{}}");
    CHECK_INT(every.raw.len, 5);
    CHECK_STR(encode(&every), "{\"always\":0,\"raw\":{}}");
}

static void many_names_are_searched_quickly(void)
{
    struct text json = {.arena = &arena};
    struct every every;
    struct err err = {0};
    for (int i = 0; i < 30000; i++)
        text_printf(&json, "%s\"k%d\":%d", i ? "," : "{", i, i);
    text_puts(&json, "}");
    CHECK_INT(
        doc_json_decode(&every_doc, json.at, json.len, DOC_JSON_LENIENT, &arena, &every, &err), 0);
}

int main(void)
{
    RUN(every_type_round_trips);
    RUN(absent_is_left_out_and_null_is_absent);
    RUN(what_is_not_json);
    RUN(encodings);
    RUN(depth_is_bounded);
    RUN(names_are_there_once_and_known);
    RUN(a_long_pointer_is_cut_to_whole_characters);
    RUN(types);
    RUN(numbers);
    RUN(bounds_and_checks);
    RUN(free_form_objects);
    RUN(many_names_are_searched_quickly);
    arena_release(&arena);
}
