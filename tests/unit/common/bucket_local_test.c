/* The local backend: stored whole or not at all, listed in order, never outside of its root. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "common/bucket_admin.h"

static char root[] = "/tmp/bucket_test.XXXXXX", media[64], source[64];
static struct bucket *bucket;
static struct arena arena;
static struct err err;

static void write_file(const char *path, const char *content)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    CHECK(write(fd, content, strlen(content)) == (ssize_t)strlen(content));
    close(fd);
}

static int put(const char *key, const char *content)
{
    write_file(source, content);
    struct bucket_put one = {.key = key, .path = source, .size_bytes = (int64_t)strlen(content)};
    err = (struct err){0};
    int result = bucket_put(bucket, &one, 1, NULL, &arena, &err);
    CHECK(result || one.etag);
    return result;
}

static void an_object_is_stored_read_and_deleted(void)
{
    struct object object;
    struct text text;
    int64_t size;
    int fd;
    CHECK_INT(put("projects/p/a.m3u8", "#EXTM3U"), 0);
    CHECK_INT(bucket_head(bucket, "projects/p/a.m3u8", &arena, &object, &err), 0);
    CHECK_INT(object.size_bytes, 7);
    CHECK_STR(object.content_type, "application/vnd.apple.mpegurl");
    CHECK(object.modified_at > 0);
    CHECK_INT(bucket_get(bucket, "projects/p/a.m3u8", 7, &arena, &text, &err), 0);
    CHECK_STR(text.at, "#EXTM3U");
    CHECK_INT(bucket_get(bucket, "projects/p/a.m3u8", 6, &arena, &text, &err), -1);
    CHECK_INT(err.code, ERR_OBJECT_TOO_LARGE);
    CHECK_INT(bucket_open_file(bucket, "projects/p/a.m3u8", &fd, &size, &err), 0);
    CHECK_INT(size, 7);
    close(fd);
    CHECK_INT(put("projects/p/a.m3u8", "other"), 0);
    CHECK_INT(bucket_get(bucket, "projects/p/a.m3u8", 100, &arena, &text, &err), 0);
    CHECK_STR(text.at, "other");
    const char *keys[] = {"projects/p/a.m3u8", "projects/p/never-there"};
    struct err errs[2];
    CHECK_INT(bucket_delete(bucket, keys, 2, errs, &err), 0);
    CHECK_INT(errs[1].code, ERR_NONE);
    CHECK_INT(bucket_head(bucket, "projects/p/a.m3u8", &arena, &object, &err), -1);
    CHECK_INT(err.code, ERR_OBJECT_NOT_FOUND);
}

static void empty_directories_are_pruned(void)
{
    char path[128];
    const char *keys[] = {"x/y/z/1", "x/2"};
    CHECK_INT(put("x/y/z/1", "1"), 0);
    CHECK_INT(put("x/2", "2"), 0);
    CHECK_INT(bucket_delete(bucket, keys, 1, NULL, &err), 0);
    snprintf(path, sizeof path, "%s/x/y", media);
    CHECK(access(path, F_OK) != 0);
    snprintf(path, sizeof path, "%s/x", media);
    CHECK(access(path, F_OK) == 0);
    CHECK_INT(bucket_delete(bucket, keys + 1, 1, NULL, &err), 0);
    CHECK(access(path, F_OK) != 0);
    CHECK(access(media, F_OK) == 0);
}

static size_t temporary_files(void)
{
    char path[128];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/.tmp", media);
    DIR *directory = opendir(path);
    CHECK(directory);
    for (const struct dirent *entry; (entry = readdir(directory));)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static bool always(void *arg)
{
    (void)arg;
    return true;
}

static void what_fails_leaves_nothing(void)
{
    struct object object;
    write_file(source, "12345");
    struct bucket_put wrong[] = {{.key = "w/size", .path = source, .size_bytes = 6},
                                 {.key = "w/none", .path = "/nonexistent", .size_bytes = 1},
                                 {.key = "w/good", .path = source, .size_bytes = 5}};
    CHECK_INT(bucket_put(bucket, wrong, 3, NULL, &arena, &err), -1);
    CHECK_INT(err.code, ERR_STORAGE_MISMATCH);
    CHECK_INT(wrong[1].err.code, ERR_IO_ERROR);
    CHECK_INT(wrong[2].err.code, ERR_NONE);
    CHECK_INT(bucket_head(bucket, "w/size", &arena, &object, &err), -1);
    CHECK_INT(bucket_head(bucket, "w/good", &arena, &object, &err), 0);
    CHECK_STR(object.etag, wrong[2].etag);
    struct bucket_watch watch = {.stopped = always};
    CHECK_INT(bucket_put(bucket, wrong + 2, 1, &watch, &arena, &err), -1);
    CHECK_INT(err.code, ERR_CANCELLED);
    CHECK_INT(temporary_files(), 0);
}

static void abandoned_files_are_removed(void)
{
    char path[128];
    size_t aborted;
    snprintf(path, sizeof path, "%s/.tmp/0123456789abcdef0123456789abcdef", media);
    write_file(path, "half");
    snprintf(path, sizeof path, "%s/.tmp/fedcba9876543210fedcba9876543210", media);
    write_file(path, "at work");
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0 && flock(fd, LOCK_EX) == 0);
    CHECK_INT(bucket_abort_uploads(bucket, "projects/p/", &aborted, &err), 0);
    CHECK_INT(aborted, 1);
    close(fd);
    CHECK_INT(bucket_abort_uploads(bucket, "projects/p/", &aborted, &err), 0);
    CHECK_INT(aborted, 1);
}

static void keys_are_listed_in_order(void)
{
    static const char *const keys[] = {"l/a-b/1", "l/a.b", "l/a/1", "l/a/b/2", "l/a0",
                                       "l/ab/3",  "l/b/1", "l/b/2", "l/c"};
    enum { LEN = sizeof keys / sizeof keys[0] };
    struct objects objects;
    for (size_t i = LEN; i-- > 0;)
        CHECK_INT(put(keys[i], "x"), 0);
    CHECK_INT(put("m/other", "x"), 0);
    for (size_t i = 1; i < LEN; i++)
        CHECK(strcmp(keys[i - 1], keys[i]) < 0);
    CHECK_INT(bucket_list(bucket, "l/", NULL, 100, &arena, &objects, &err), 0);
    CHECK_INT(objects.len, LEN);
    for (size_t i = 0; i < LEN; i++)
        CHECK_STR(objects.at[i].key, keys[i]);
    /* Page by page, every position gives the rest. */
    for (size_t i = 0; i < LEN; i++) {
        CHECK_INT(bucket_list(bucket, "l/", keys[i], 2, &arena, &objects, &err), 0);
        CHECK_INT(objects.len, LEN - 1 - i < 2 ? LEN - 1 - i : 2);
        for (size_t j = 0; j < objects.len; j++)
            CHECK_STR(objects.at[j].key, keys[i + 1 + j]);
    }
    CHECK_INT(bucket_list(bucket, "l/a", NULL, 100, &arena, &objects, &err), 0);
    CHECK_INT(objects.len, 6);
    CHECK_INT(bucket_list(bucket, "l/b/", NULL, 1, &arena, &objects, &err), 0);
    CHECK_INT(objects.len, 1);
    CHECK_INT(bucket_list(bucket, "nothing/", NULL, 1, &arena, &objects, &err), 0);
    CHECK_INT(objects.len, 0);
}

/* More than are held at once, and in the root. */
static void a_full_directory_is_listed(void)
{
    enum { LEN = 5000, PAGE = 777 };
    struct objects objects = {0};
    const char *after = NULL;
    size_t seen = 0;
    char path[256];
    snprintf(path, sizeof path, "%s/many", media);
    CHECK(mkdir(path, 0700) == 0);
    for (int i = 0; i < LEN; i++) {
        snprintf(path, sizeof path, "%s/many/%05d", media, i * 7919 % LEN);
        CHECK(close(open(path, O_CREAT | O_WRONLY, 0600)) == 0);
    }
    do {
        CHECK_INT(bucket_list(bucket, "many/", after, PAGE, &arena, &objects, &err), 0);
        for (size_t i = 0; i < objects.len; i++, seen++) {
            snprintf(path, sizeof path, "many/%05zu", seen);
            CHECK_STR(objects.at[i].key, path);
        }
        after = objects.len > 0 ? objects.at[objects.len - 1].key : after;
    } while (objects.len == PAGE);
    CHECK_INT(seen, LEN);
    CHECK_INT(bucket_list(bucket, "many/", NULL, LEN, &arena, &objects, &err), 0);
    CHECK_INT(objects.len, LEN);
}

static void the_whole_bucket_is_listed(void)
{
    struct objects objects;
    CHECK_INT(put("z", "x"), 0);
    CHECK_INT(put("A-b", "x"), 0);
    CHECK_INT(put("A/b", "x"), 0);
    CHECK_INT(bucket_list(bucket, "", NULL, 100000, &arena, &objects, &err), 0);
    CHECK(objects.len > 5000);
    for (size_t i = 1; i < objects.len; i++)
        CHECK(strcmp(objects.at[i - 1].key, objects.at[i].key) < 0);
    CHECK_STR(objects.at[0].key, "A-b");
    CHECK_STR(objects.at[1].key, "A/b");
    CHECK_STR(objects.at[objects.len - 1].key, "z");
}

static void an_object_is_read_into_a_file(void)
{
    char content[8] = {0};
    struct object object;
    int fd = memfd_create("t", 0);
    CHECK_INT(put("whole", "content"), 0);
    CHECK(write(fd, "older and longer", 16) == 16);
    CHECK_INT(bucket_get_file(bucket, "whole", fd, NULL, &arena, &object, &err), 0);
    CHECK_INT(object.size_bytes, 7);
    CHECK_INT(pread(fd, content, 8, 0), 7);
    CHECK_STR(content, "content");
    CHECK_INT(bucket_get_file(bucket, "nothing", fd, NULL, &arena, &object, &err), -1);
    CHECK_INT(err.code, ERR_OBJECT_NOT_FOUND);
    close(fd);
}

static void unfinished_files_are_counted(void)
{
    char path[256];
    int64_t count = -1;
    bool aborted = false;
    struct uploads page;
    const struct upload *after = NULL;
    for (int i = 0; i < 5; i++) {
        snprintf(path, sizeof path, "%s/.tmp/%032x", media, i);
        write_file(path, "half");
    }
    CHECK_INT(bucket_count_uploads(bucket, &count, &err), 0);
    CHECK_INT(count, 5);
    for (int i = 0; i < 5; i += 2) {
        CHECK_INT(bucket_list_uploads(bucket, "", after, 2, &arena, &page, &err), 0);
        CHECK_INT(page.len, i < 4 ? 2 : 1);
        CHECK_INT(strtol(page.at[0].id, NULL, 16), i);
        CHECK(page.at[0].begun_at > 0);
        after = page.next;
    }
    CHECK(!after);
    snprintf(path, sizeof path, "%s/.tmp/%s", media, page.at[0].id);
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0 && flock(fd, LOCK_EX) == 0);
    CHECK_INT(bucket_abort_upload(bucket, &page.at[0], &aborted, &err), 0);
    CHECK(!aborted && access(path, F_OK) == 0);
    close(fd);
    CHECK_INT(bucket_abort_upload(bucket, &page.at[0], &aborted, &err), 0);
    CHECK(aborted && access(path, F_OK) != 0);
    CHECK_INT(bucket_abort_upload(bucket, &page.at[0], &aborted, &err), 0);
    CHECK(aborted);
    page.at[0].id = "../../whole";
    CHECK_INT(bucket_abort_upload(bucket, &page.at[0], &aborted, &err), -1);
    CHECK_INT(bucket_count_uploads(bucket, &count, &err), 0);
    CHECK_INT(count, 4);
    size_t removed = 0;
    CHECK_INT(bucket_abort_uploads(bucket, "projects/p/", &removed, &err), 0);
    CHECK_INT(removed, 4);
    struct lifecycle lifecycle;
    CHECK_INT(bucket_lifecycle(bucket, true, &arena, &lifecycle, &err), -1);
    CHECK_INT(err.code, ERR_STORAGE_UNSUPPORTED);
}

static void prefixes_and_keys_are_checked(void)
{
    static const char *const bad[] = {"/", "../", "a//", "a/../b", "/etc/"};
    struct objects objects;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_INT(bucket_list(bucket, bad[i], NULL, 1, &arena, &objects, &err), -1);
        CHECK_INT(bucket_abort_uploads(bucket, bad[i], NULL, &err), -1);
    }
    CHECK_INT(bucket_abort_uploads(bucket, "", NULL, &err), -1);
    CHECK_INT(put("../outside", "x"), -1);
    CHECK_INT(put("/etc/passwd", "x"), -1);
    CHECK_INT(put(".tmp/x", "x"), -1);
    const char *out;
    CHECK_INT(bucket_presign(bucket, "a", 60, &arena, &out, &err), -1);
}

static void symbolic_links_lead_nowhere(void)
{
    char path[256], outside[128];
    struct object object;
    struct objects objects;
    const char *key = "link/secret";
    snprintf(outside, sizeof outside, "%s/outside", root);
    CHECK(mkdir(outside, 0700) == 0);
    snprintf(path, sizeof path, "%s/secret", outside);
    write_file(path, "secret");
    snprintf(path, sizeof path, "%s/link", media);
    CHECK(symlink(outside, path) == 0);
    snprintf(path, sizeof path, "%s/file", media);
    CHECK(symlink("../outside/secret", path) == 0);
    CHECK_INT(bucket_head(bucket, key, &arena, &object, &err), -1);
    CHECK_INT(err.code, ERR_OBJECT_NOT_FOUND);
    CHECK_INT(bucket_head(bucket, "file", &arena, &object, &err), -1);
    CHECK_INT(put(key, "overwritten"), -1);
    CHECK_INT(bucket_delete(bucket, &key, 1, NULL, &err), 0);
    snprintf(path, sizeof path, "%s/secret", outside);
    CHECK(access(path, F_OK) == 0);
    CHECK_INT(bucket_list(bucket, "link/", NULL, 10, &arena, &objects, &err), 0);
    CHECK_INT(objects.len, 0);
    CHECK_INT(bucket_list(bucket, "f", NULL, 10, &arena, &objects, &err), 0);
    CHECK_INT(objects.len, 0);
}

/* Backend none: a file of ours is taken over, and may be again by the next run. */
static void media_of_our_own_is_linked(void)
{
    struct bucket *own;
    struct bucket_settings settings = {.backend = BACKEND_NONE, .media_root = media};
    char path[256];
    struct stat before, after;
    struct objects objects;
    CHECK_INT(bucket_open(&own, &settings, &err), 0);
    CHECK_STR(bucket_backend(own), "none");
    write_file(source, "content");
    CHECK(stat(source, &before) == 0);
    struct bucket_put put = {.key = "own/file", .path = source, .size_bytes = 7};
    for (int i = 0; i < 2; i++) {
        CHECK_INT(bucket_put(own, &put, 1, NULL, &arena, &err), 0);
        snprintf(path, sizeof path, "%s/own/file", media);
        CHECK(stat(path, &after) == 0 && stat(source, &before) == 0);
        CHECK_INT(after.st_ino, before.st_ino);
        CHECK_INT(after.st_nlink, 2);
    }
    /* Somebody is at the same file: a copy. */
    int fd = open(source, O_RDONLY);
    CHECK(fd >= 0 && flock(fd, LOCK_EX) == 0);
    CHECK_INT(bucket_put(own, &put, 1, NULL, &arena, &err), 0);
    CHECK(stat(path, &after) == 0 && after.st_ino != before.st_ino && after.st_nlink == 1);
    close(fd);
    put.size_bytes = 8;
    CHECK_INT(bucket_put(own, &put, 1, NULL, &arena, &err), -1);
    CHECK_INT(err.code, ERR_STORAGE_MISMATCH);
    CHECK_INT(bucket_check(own, &err), 0);
    CHECK_INT(bucket_list(own, "own/", NULL, 9, &arena, &objects, &err), 0);
    CHECK_INT(objects.len, 1);
    int64_t unfinished;
    CHECK_INT(bucket_count_uploads(own, &unfinished, &err), 0);
    CHECK_INT(unfinished, 0);
    bucket_free(own);
}

static void the_check_passes_and_cleans_up(void)
{
    struct objects objects;
    CHECK_INT(bucket_check(bucket, &err), 0);
    CHECK_INT(bucket_list(bucket, "mediafleet-check", NULL, 10, &arena, &objects, &err), 0);
    CHECK_INT(objects.len, 0);
    CHECK_STR(bucket_backend(bucket), "local");
    CHECK_STR(bucket_name(bucket), media);
}

int main(void)
{
    char command[128];
    CHECK(mkdtemp(root));
    snprintf(media, sizeof media, "%s/media", root);
    snprintf(source, sizeof source, "%s/source", root);
    struct bucket_settings settings = {.backend = BACKEND_LOCAL, .media_root = media};
    CHECK_INT(bucket_open(&bucket, &settings, &err), 0);
    RUN(an_object_is_stored_read_and_deleted);
    RUN(empty_directories_are_pruned);
    RUN(what_fails_leaves_nothing);
    RUN(abandoned_files_are_removed);
    RUN(keys_are_listed_in_order);
    RUN(a_full_directory_is_listed);
    RUN(the_whole_bucket_is_listed);
    RUN(an_object_is_read_into_a_file);
    RUN(unfinished_files_are_counted);
    RUN(prefixes_and_keys_are_checked);
    RUN(symbolic_links_lead_nowhere);
    RUN(media_of_our_own_is_linked);
    RUN(the_check_passes_and_cleans_up);
    bucket_free(bucket);
    arena_release(&arena);
    snprintf(command, sizeof command, "rm -rf %s", root);
    CHECK(system(command) == 0);
    return 0;
}
