/* Tests of common/utf8.c. */
#include "common/utf8.h"

#include "check.h"

static void every_code_point_round_trips(void)
{
    for (uint32_t code = 0; code < 0x110000; code++) {
        if (code >= 0xD800 && code < 0xE000)
            continue;
        char out[4];
        size_t len = utf8_put(code, out);
        CHECK_INT(utf8_len(out, len), len);
        CHECK_INT(utf8_len(out, len - 1), 0);
        CHECK(len == 1 || utf8_cut(out, len - 1));
        CHECK(!utf8_cut(out, len));
    }
}

static void what_is_not_utf8(void)
{
    static const char *const bad[] = {
        "\x80",         "\xC0\x80",         "\xC1\xBF",         "\xE0\x9F\xBF",
        "\xED\xA0\x80", "\xF0\x8F\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
        "\xFF",         "\xE2\x28\xA1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_INT(utf8_len(bad[i], strlen(bad[i])), 0);
    CHECK_INT(utf8_len("", 0), 0);
    CHECK(!utf8_cut("\xE0\x9F", 2));
}

static void floor_keeps_whole_characters(void)
{
    CHECK_INT(utf8_floor("a\xE2\x82", 3), 1);
    CHECK_INT(utf8_floor("a\xE2\x82\xAC", 4), 4);
    CHECK_INT(utf8_floor("a\xF0\x9F\x98", 4), 1);
    CHECK_INT(utf8_floor("", 0), 0);
    CHECK_INT(utf8_floor("ab", 2), 2);
}

int main(void)
{
    RUN(every_code_point_round_trips);
    RUN(what_is_not_utf8);
    RUN(floor_keeps_whole_characters);
}
