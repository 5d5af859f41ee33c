/* Tests of common/doc_env.c. */
#include "common/doc_env.h"

#include "check.h"

enum mode { MODE_NONE, MODE_FAST, MODE_SLOW };
static const char *const mode_names[] = {NULL, "fast", "slow", NULL};

struct sample {
    const char *name, *secret, *needed;
    bool on;
    int64_t count, free;
    double ratio;
    enum mode mode;
    struct strs words;
    struct ints ports;
};
static enum error no_x(const char *value, const char **why)
{
    *why = "must not have an x";
    return strchr(value, 'x') ? ERR_CONFIG : ERR_NONE;
}
static const struct field fields[] = {
    FIELD_AS(sample, name, "T_NAME", .max = 8, .check = no_x, .text = "A name."),
    FIELD_AS(sample, secret, "T_SECRET", .flags = FIELD_SECRET, .min = 8, .text = "A secret."),
    FIELD_AS(sample, needed, "T_NEEDED", .flags = FIELD_REQUIRED, .text = "Needed."),
    FIELD_AS(sample, on, "T_ON", .fallback = "true", .text = "A switch."),
    FIELD_AS(sample, count, "T_COUNT", .min = 5, .max = 3600, .fallback = "30", .text = "A count."),
    FIELD_AS(sample, free, "T_FREE", .text = "Any number."),
    FIELD_AS(sample, ratio, "T_RATIO", .max = 1, .fallback = "0.5", .text = "A ratio."),
    FIELD_AS(sample, mode, "T_MODE", .names = mode_names, .fallback = "slow", .text = "A mode."),
    FIELD_AS(sample, words, "T_WORDS", .max = 3, .check = no_x, .text = "Words."),
    FIELD_AS(sample, ports, "T_PORTS", .text = "Ports."),
};
static const struct doc sample_doc = DOC(sample, fields);

static struct arena arena;
static struct sample sample;

static void forget(void)
{
    for (size_t i = 0; i < sample_doc.len; i++)
        unsetenv(fields[i].name);
    setenv("T_NEEDED", "n", 1);
}

/* Reads with one variable set; the problems as text. */
static const char *read_with(const char *name, const char *value)
{
    struct text problems = {.arena = &arena};
    forget();
    if (name)
        setenv(name, value, 1);
    size_t count = doc_env_read(&sample_doc, &arena, &sample, &problems);
    CHECK_INT(count, problems.len > 0);
    return problems.at;
}

static void fallbacks_hold_for_what_is_not_set_or_empty(void)
{
    CHECK(read_with("T_COUNT", "") == NULL);
    CHECK_INT(sample.count, 30);
    CHECK(sample.on);
    CHECK_INT(sample.mode, MODE_SLOW);
    CHECK(sample.ratio == 0.5);
    CHECK(sample.name == NULL);
    CHECK_INT(sample.words.len, 0);
}

static void good_values(void)
{
    static const char *const yes[] = {"true", "1", "Yes", "ON"}, *const no[] = {"false", "0", "NO",
                                                                                "off"};
    for (int i = 0; i < 4; i++) {
        CHECK(read_with("T_ON", yes[i]) == NULL && sample.on);
        CHECK(read_with("T_ON", no[i]) == NULL && !sample.on);
    }
    CHECK(read_with("T_WORDS", " a, b\tc,, ") == NULL);
    CHECK_INT(sample.words.len, 3);
    CHECK_STR(sample.words.at[0], "a");
    CHECK_STR(sample.words.at[2], "c");
    CHECK(read_with("T_PORTS", "80,443") == NULL);
    CHECK_INT(sample.ports.at[1], 443);
    CHECK(read_with("T_COUNT", "3600") == NULL);
    CHECK_INT(sample.count, 3600);
    CHECK(read_with("T_FREE", "9223372036854775807") == NULL);
    CHECK_INT(sample.free, INT64_MAX);
    CHECK(read_with("T_MODE", "fast") == NULL);
    CHECK_INT(sample.mode, MODE_FAST);
}

static void bad_values_are_told(void)
{
    static const char *const rows[][3] = {
        {"T_COUNT", "x", "T_COUNT: must be 5 to 3600, is 'x'\n"},
        {"T_COUNT", "4", "T_COUNT: must be 5 to 3600, is '4'\n"},
        {"T_COUNT", "30s", "T_COUNT: must be 5 to 3600, is '30s'\n"},
        {"T_COUNT", " 30", "T_COUNT: must be 5 to 3600, is ' 30'\n"},
        {"T_FREE", "-1", "T_FREE: must be a whole number, is '-1'\n"},
        {"T_FREE", "9223372036854775808",
         "T_FREE: must be a whole number, is '9223372036854775808'\n"},
        {"T_ON", "maybe", "T_ON: must be true or false, is 'maybe'\n"},
        {"T_MODE", "quick", "T_MODE: must be one of fast, slow, is 'quick'\n"},
        {"T_NAME", "x\n", "T_NAME: must not have an x, is 'x?'\n"},
        {"T_NAME", "123456789", "T_NAME: must have 0 to 8 bytes, is '123456789'\n"},
        {"T_SECRET", "hunter2", "T_SECRET: must have at least 8 bytes\n"},
        {"T_WORDS", "a x", "T_WORDS: must not have an x, is 'x'\n"},
        {"T_WORDS", "a b c d", "T_WORDS: must have 0 to 3 items, is 'a b c d'\n"},
        {"T_RATIO", "1.5", "T_RATIO: must be 0 to 1, is '1.5'\n"},
        {"T_PORTS", "80 y", "T_PORTS: must be a whole number, is 'y'\n"},
        {"T_NEEDED", "", "T_NEEDED: must be set\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_STR(read_with(rows[i][0], rows[i][1]), rows[i][2]);
}

static void every_problem_is_told(void)
{
    struct text problems = {.arena = &arena};
    forget();
    setenv("T_COUNT", "0", 1);
    setenv("T_ON", "2", 1);
    CHECK_INT(doc_env_read(&sample_doc, &arena, &sample, &problems), 2);
}

static void help_tells_every_row(void)
{
    struct text help = {.arena = &arena}, table = {.arena = &arena};
    doc_env_help(&sample_doc, &help);
    doc_env_markdown(&sample_doc, &table);
    CHECK(strstr(help.at,
                 "  T_COUNT\n      A count.\n      Values: 5 to 3600.\n      Default: 30\n"));
    CHECK(strstr(help.at, "  T_NEEDED\n      Needed.\n      Must be set.\n"));
    CHECK(strstr(table.at, "| `T_MODE` | A mode. | `slow` | fast, slow |\n"));
    CHECK(strstr(table.at, "| `T_WORDS` | Words. |  | a list of at most 3 |\n"));
}

int main(void)
{
    RUN(fallbacks_hold_for_what_is_not_set_or_empty);
    RUN(good_values);
    RUN(bad_values_are_told);
    RUN(every_problem_is_told);
    RUN(help_tells_every_row);
    arena_release(&arena);
}
