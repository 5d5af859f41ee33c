/* Tests of common/err.c. */
#include "common/err.h"

#include <errno.h>

#include "check.h"
#include "common/utf8.h"

static void set_replaces_everything(void)
{
    struct err err = {.code = ERR_TIMEOUT, .retry_after_ms = 5, .pointer = "/a", .detail = "old"};
    CHECK_INT(err_set(&err, ERR_DISK_FULL, "was '%s'", err.detail), -1);
    CHECK_INT(err.code, ERR_DISK_FULL);
    CHECK_STR(err.detail, "was 'old'");
    CHECK_STR(err.pointer, "");
    CHECK_INT(err.retry_after_ms, 0);
}

static void prefix_keeps_the_code(void)
{
    struct err err = {0};
    err_set(&err, ERR_TIMEOUT, "no answer");
    err.retry_after_ms = 7;
    CHECK_INT(err_prefix(&err, "open '%s'", "x"), -1);
    CHECK_INT(err.code, ERR_TIMEOUT);
    CHECK_INT(err.retry_after_ms, 7);
    CHECK_STR(err.detail, "open 'x': no answer");
}

static void a_long_detail_ends_with_a_whole_character(void)
{
    struct err err = {0};
    char text[3 * ERR_DETAIL_MAX];
    for (size_t i = 0; i + 3 < sizeof text; i += 3)
        memcpy(text + i, "\xE2\x82\xAC", 4);
    err_set(&err, ERR_INTERNAL, "%s", text);
    size_t len = strlen(err.detail);
    CHECK_INT(len, 477);
    for (int i = 0; i < 10; i++)
        err_prefix(&err, "a %s", text);
    len = strlen(err.detail);
    CHECK_INT(utf8_floor(err.detail, len), len);
}

static void errno_decides_the_code(void)
{
    struct err err = {0};
    CHECK_INT(err_errno(&err, ENOSPC, "write '%s'", "f"), -1);
    CHECK_INT(err.code, ERR_DISK_FULL);
    CHECK_STR(err.detail, "write 'f': No space left on device");
    err_errno(&err, EDQUOT, "x");
    CHECK_INT(err.code, ERR_DISK_FULL);
    err_errno(&err, ENOENT, "x");
    CHECK_INT(err.code, ERR_IO_ERROR);
}

static void clean_leaves_only_what_can_be_shown(void)
{
    char text[] = "a\nb\x7F\xFF\xE2\x82\xAC\xE2\x82";
    err_clean(text);
    CHECK_STR(text, "a?b??\xE2\x82\xAC");
    char empty[] = "";
    err_clean(empty);
    CHECK_STR(empty, "");
}

int main(void)
{
    RUN(set_replaces_everything);
    RUN(prefix_keeps_the_code);
    RUN(a_long_detail_ends_with_a_whole_character);
    RUN(errno_decides_the_code);
    RUN(clean_leaves_only_what_can_be_shown);
}
