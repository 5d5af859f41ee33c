/* Object keys, names and what a file's name says. */
#include "proto/file_path.h"

#include "check.h"

static void keys_are_made_of_valid_components(void)
{
    CHECK(object_key_valid("projects/p/scenes/s/j/v1080/seg_1.m4s"));
    CHECK(object_key_valid("a"));
    CHECK(object_key_valid("a/...b/..."));
    static const char *const bad[] = {
        "",     "/a",    "a/",    "a//b", ".",    "..",       "a/./b", "a/../b", "../a", "a/..",
        "a\\b", "..%2f", "a%2eb", "a b",  "a\nb", "\xc3\xa9", "a/b?c", "a#b",    "a/b*", "a:b"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (object_key_valid(bad[i])) {
            fprintf(stderr, "'%s' was taken for a key\n", bad[i]);
            CHECK(false);
        }
    char key[OBJECT_KEY_MAX + 2];
    memset(key, 'k', sizeof key);
    key[OBJECT_KEY_MAX] = '\0';
    CHECK(object_key_valid(key));
    key[OBJECT_KEY_MAX] = 'k';
    key[OBJECT_KEY_MAX + 1] = '\0';
    CHECK(!object_key_valid(key));
}

static void identifiers_are_bounded(void)
{
    const char *why = NULL;
    CHECK_INT(ident_check("Project-1_a.b", &why), ERR_NONE);
    CHECK_INT(ident_check("", &why), ERR_INVALID_FORMAT);
    CHECK_INT(ident_check("..", &why), ERR_INVALID_FORMAT);
    CHECK_INT(ident_check("a/b", &why), ERR_INVALID_FORMAT);
    CHECK(why);
    char name[IDENT_MAX + 2];
    memset(name, 'x', sizeof name);
    name[IDENT_MAX] = '\0';
    CHECK_INT(ident_check(name, &why), ERR_NONE);
    name[IDENT_MAX] = 'x';
    name[IDENT_MAX + 1] = '\0';
    CHECK_INT(ident_check(name, &why), ERR_INVALID_FORMAT);
    CHECK_INT(oid_check("65f0c0ffee65f0c0ffee65f0", &why), ERR_NONE);
    CHECK_INT(oid_check("65f0c0ffee65f0c0ffee65f", &why), ERR_INVALID_ID);
    CHECK_INT(oid_check("65f0c0ffee65f0c0ffee65f00", &why), ERR_INVALID_ID);
    CHECK_INT(oid_check("65f0c0ffee65f0c0ffee65fg", &why), ERR_INVALID_ID);
    CHECK_INT(ulid_check("01JD8Z5Q2V9W3X4Y5Z6A7B8C9D", &why), ERR_NONE);
    CHECK_INT(ulid_check("01jd8z5q2v9w3x4y5z6a7b8c9d", &why), ERR_INVALID_ID);
    CHECK_INT(ulid_check("81JD8Z5Q2V9W3X4Y5Z6A7B8C9D", &why), ERR_INVALID_ID);
    CHECK_INT(ulid_check("01JD8Z5Q2V9W3X4Y5Z6A7B8C9U", &why), ERR_INVALID_ID);
    CHECK_INT(ulid_check("", &why), ERR_INVALID_ID);
}

static void a_prefix_is_built_and_found_again(void)
{
    char prefix[OBJECT_KEY_MAX + 1], key[OBJECT_KEY_MAX + 64];
    CHECK_INT(file_prefix("p", "s", "j", prefix), 0);
    CHECK_STR(prefix, "projects/p/scenes/s/j/");
    snprintf(key, sizeof key, "%sv1/a.m4s", prefix);
    CHECK_INT(file_prefix_len(key), strlen(prefix));
    CHECK_INT(file_prefix("p/..", "s", "j", prefix), -1);
    CHECK_INT(file_prefix("p", "", "j", prefix), -1);
    CHECK_INT(file_prefix_len("projects/p/scenes/s/j"), 0);
    CHECK_INT(file_prefix_len("projects/p/scenes/s/"), 0);
    CHECK_INT(file_prefix_len("projects/p/datasets/s/j/a"), 0);
    CHECK_INT(file_prefix_len("projects/../scenes/s/j/a"), 0);
}

static void names_tell_the_type(void)
{
    CHECK_STR(file_kind("a/b/master.m3u8")->content_type, "application/vnd.apple.mpegurl");
    CHECK_INT(file_kind("init.mp4")->type, FILE_INIT);
    CHECK_INT(file_kind("x/source.mp4")->type, FILE_SOURCE);
    CHECK_STR(file_kind("source.mp4")->content_type, "video/mp4");
    CHECK_STR(file_kind("seg-1.m4s")->content_type, "video/iso.segment");
    CHECK_STR(file_kind("thumb.small.jpg")->content_type, "image/jpeg");
    CHECK_INT(file_kind("source.jpg")->type, FILE_SOURCE);
    CHECK_INT(file_kind("noextension")->type, FILE_SOURCE);
    CHECK_STR(file_kind("a.exe")->content_type, "application/octet-stream");
    CHECK_STR(file_kind("a.m3u8")->cache_control, "public, max-age=31536000, immutable");
}

int main(void)
{
    RUN(keys_are_made_of_valid_components);
    RUN(identifiers_are_bounded);
    RUN(a_prefix_is_built_and_found_again);
    RUN(names_tell_the_type);
    return 0;
}
