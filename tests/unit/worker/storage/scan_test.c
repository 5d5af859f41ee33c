/* Two streams in the order of their keys, whatever their pages, gaps and ends. */
#include "check.h"
#include "fake_rows.h"

#include <unistd.h>

#include "worker/storage/scan.h"
#include "worker/workspace.h"

enum { KEYS = 2600 };

static char root[] = "/tmp/scan-test-XXXXXX";
static struct arena memory;
static struct bucket *bucket;

static void put(const char *key)
{
    struct err err = {0};
    char path[] = "/tmp/scan-file-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    close(fd);
    struct bucket_put one = {.key = key, .path = path};
    CHECK_INT(bucket_put(bucket, &one, 1, NULL, &memory, &err), 0);
    unlink(path);
}

static void track(const char *key)
{
    fake_add_row(&(struct file_path){
        .id = key, .backend = "local", .object_key = key, .state = FILE_STORED});
}

static const char *key_of(int number)
{
    return arena_printf(&memory, "m/%05d", number);
}

static bool has_object(int number)
{
    return number % 7 != 0;
}

static bool has_row(int number)
{
    return number % 11 != 0 && (number < 500 || number > 1900); /* a gap of more than a page */
}

/* From `first` on, every key with what it has. */
static void expect_all(struct scan *scan, int first)
{
    struct err err = {0};
    struct scan_pair pair;
    for (int i = first; i < KEYS; i++) {
        if (!has_object(i) && !has_row(i))
            continue;
        CHECK_INT(scan_next(scan, &pair, &err), 1);
        CHECK_STR(pair.key, key_of(i));
        CHECK((pair.object != NULL) == has_object(i));
        CHECK((pair.row != NULL) == has_row(i));
    }
    CHECK_INT(scan_next(scan, &pair, &err), 0);
    scan_release(scan);
}

static void pages_of_both_sides_meet(void)
{
    for (int i = 0; i < KEYS; i++) {
        if (has_object(i))
            put(key_of(i));
        if (has_row(i))
            track(key_of(i));
    }
    expect_all(&(struct scan){.bucket = bucket}, 0);
    expect_all(&(struct scan){.bucket = bucket, .after = "m/01233"}, 1234);
    expect_all(&(struct scan){.bucket = bucket, .prefix = "m/"}, 0);
}

static void memory_stays_that_of_a_page(void)
{
    struct scan scan = {.bucket = bucket};
    struct scan_pair pair;
    struct err err = {0};
    while (scan_next(&scan, &pair, &err) > 0)
        CHECK(scan.listing.arena.bytes < SCAN_PAGE * 1000 &&
              scan.ledger.arena.bytes < SCAN_PAGE * 2 * sizeof *pair.row);
    CHECK_INT(err.code, ERR_NONE);
    scan_release(&scan);
}

static void a_prefix_that_nothing_has(void)
{
    struct scan scan = {.bucket = bucket, .prefix = "none/"};
    struct scan_pair pair;
    struct err err = {0};
    CHECK_INT(scan_next(&scan, &pair, &err), 0);
    scan_release(&scan);
}

/* Two rows of one key: as good as a store that sorts otherwise than by bytes. */
static void disorder_is_no_finding(void)
{
    struct scan scan = {.bucket = bucket, .prefix = "twice/"};
    struct scan_pair pair;
    struct err err = {0};
    track("twice/a");
    fake_add_row(&(struct file_path){
        .id = "zzz", .backend = "local", .object_key = "twice/a", .state = FILE_STORED});
    CHECK_INT(scan_next(&scan, &pair, &err), 1);
    CHECK_INT(scan_next(&scan, &pair, &err), -1);
    CHECK_INT(err.code, ERR_CONFIG);
    scan_release(&scan);
}

int main(void)
{
    struct err err = {0};
    const struct bucket_settings settings = {.backend = BACKEND_LOCAL, .media_root = root};
    CHECK(mkdtemp(root));
    CHECK_INT(bucket_open(&bucket, &settings, &err), 0);
    RUN(pages_of_both_sides_meet);
    RUN(memory_stays_that_of_a_page);
    RUN(a_prefix_that_nothing_has);
    RUN(disorder_is_no_finding);
    bucket_free(bucket);
    arena_release(&memory);
    arena_release(&fake_rows.memory);
    CHECK_INT(workspace_remove(root, &err), 0);
    return 0;
}
