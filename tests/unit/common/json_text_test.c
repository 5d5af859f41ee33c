/* Tests of common/json_text.c. */
#include "common/json_text.h"

#include "check.h"

static struct arena arena;

static void strings(void)
{
    struct text text = {.arena = &arena};
    json_string(&text, "a\"\\/\b\f\n\r\t\x01\x7F\xE2\x82\xAC\xFF\xE2\x82");
    CHECK_STR(text.at,
              "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u007f\xE2\x82\xAC\\ufffd\\ufffd\\ufffd\"");
    text = (struct text){.arena = &arena};
    json_string(&text, "");
    CHECK_STR(text.at, "\"\"");
}

static void integers(void)
{
    static const int64_t values[] = {0, 7, -7, 10, 1234567890123, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct text text = {.arena = &arena};
        json_int(&text, values[i]);
        CHECK_STR(text.at, arena_printf(&arena, "%" PRId64, values[i]));
    }
}

static void doubles_read_back(void)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {{0.1, "0.1"}, {29.97, "29.97"}, {1e300, "1e+300"}, {0, "0"}, {-2.5, "-2.5"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text text = {.arena = &arena};
        json_double(&text, rows[i].value);
        CHECK_STR(text.at, rows[i].text);
    }
    struct text text = {.arena = &arena};
    json_double(&text, 1.0 / 3);
    CHECK(strtod(text.at, NULL) == 1.0 / 3);
    text = (struct text){.arena = &arena};
    json_double(&text, strtod("inf", NULL));
    CHECK_STR(text.at, "0");
}

static void times(void)
{
    struct text text = {.arena = &arena};
    json_time(&text, 1);
    CHECK_STR(text.at, "\"1970-01-01T00:00:00.001Z\"");
}

int main(void)
{
    RUN(strings);
    RUN(integers);
    RUN(doubles_read_back);
    RUN(times);
    arena_release(&arena);
}
