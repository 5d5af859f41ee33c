/* The S3 backend against a live server, AWS_ENDPOINT_URL's; says "skip" without one. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "common/bucket_admin.h"
#include "common/digest.h"
#include "common/id.h"

enum { SMALL = 1000, LARGE = 40 << 20 };

static struct bucket_settings settings;
static struct bucket *bucket;
static struct arena arena;
static struct err err;
static char prefix[64], small_path[64], large_path[64];

static void say(int failed)
{
    if (failed)
        fprintf(stderr, "%s: %s\n", error_name(err.code), err.detail);
}
#define DO(call)                                                                                   \
    do {                                                                                           \
        int failed_ = (call);                                                                      \
        say(failed_);                                                                              \
        CHECK_INT(failed_, 0);                                                                     \
    } while (0)

static const char *key_of(const char *name)
{
    return arena_printf(&arena, "%s%s", prefix, name);
}

static void make_file(char *path, size_t len)
{
    static char block[4096];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (char)(i * 31 + i / 256);
    strcpy(path, "/tmp/s3_test.XXXXXX");
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    for (size_t at = 0; at < len; at += sizeof block) {
        size_t left = len - at < sizeof block ? len - at : sizeof block;
        memcpy(block, &at, sizeof at); /* no two blocks are alike */
        CHECK(write(fd, block, left) == (ssize_t)left);
    }
    close(fd);
}

static const char *sha256_of(const char *path)
{
    char block[4096], hex[DIGEST_HEX_LEN + 1];
    uint8_t sum[DIGEST_LEN];
    struct digest *digest = digest_begin();
    int fd = open(path, O_RDONLY);
    for (ssize_t got; (got = read(fd, block, sizeof block)) > 0;)
        digest_add(digest, block, (size_t)got);
    close(fd);
    digest_end(digest, sum);
    digest_hex(sum, hex);
    return arena_strdup(&arena, hex);
}

static void add(void *arg, int64_t bytes)
{
    *(int64_t *)arg += bytes;
}

static void files_are_stored(void)
{
    int64_t sent = 0;
    struct bucket_watch watch = {.sent = add, .arg = &sent};
    struct bucket_put puts[] = {
        {.key = key_of("a.m3u8"), .path = small_path, .size_bytes = SMALL},
        {.key = key_of("large.mp4"),
         .path = large_path,
         .size_bytes = LARGE,
         .content_type = "video/mp4",
         .sha256 = sha256_of(large_path)},
        {.key = key_of("empty"), .path = "/dev/null", .size_bytes = 0},
        {.key = key_of("b/c.m4s"), .path = small_path, .size_bytes = SMALL},
    };
    CHECK_INT(bucket_put(bucket, puts, 4, &watch, &arena, &err), -1); /* /dev/null is no file */
    CHECK_INT(err.code, ERR_STORAGE_MISMATCH);
    CHECK_INT(puts[0].err.code, ERR_NONE);
    CHECK_INT(puts[1].err.code, ERR_NONE);
    CHECK_INT(puts[3].err.code, ERR_NONE);
    CHECK(puts[0].etag && puts[1].etag && !puts[2].etag);
    CHECK_INT(sent, LARGE + 2 * SMALL);
    struct object object;
    DO(bucket_head(bucket, puts[1].key, &arena, &object, &err));
    CHECK_INT(object.size_bytes, LARGE);
    CHECK_STR(object.etag, puts[1].etag);
    CHECK_STR(object.content_type, "video/mp4");
    CHECK_STR(object.sha256, puts[1].sha256);
    CHECK_STR(object.cache_control, "public, max-age=31536000, immutable");
    CHECK(object.modified_at > 0);
    DO(bucket_head(bucket, puts[0].key, &arena, &object, &err));
    CHECK_STR(object.content_type, "application/vnd.apple.mpegurl");
}

static void objects_are_read(void)
{
    struct text text;
    DO(bucket_get(bucket, key_of("a.m3u8"), SMALL, &arena, &text, &err));
    CHECK_INT(text.len, SMALL);
    CHECK_INT(bucket_get(bucket, key_of("a.m3u8"), SMALL - 1, &arena, &text, &err), -1);
    CHECK_INT(err.code, ERR_OBJECT_TOO_LARGE);
    CHECK_INT(bucket_get(bucket, key_of("large.mp4"), 1 << 20, &arena, &text, &err), -1);
    CHECK_INT(err.code, ERR_OBJECT_TOO_LARGE);
    CHECK_INT(bucket_get(bucket, key_of("nothing"), 10, &arena, &text, &err), -1);
    CHECK_INT(err.code, ERR_OBJECT_NOT_FOUND);
    struct object object;
    CHECK_INT(bucket_head(bucket, key_of("nothing"), &arena, &object, &err), -1);
    CHECK_INT(err.code, ERR_OBJECT_NOT_FOUND);
}

static void objects_are_listed(void)
{
    struct objects objects;
    DO(bucket_list(bucket, prefix, NULL, 10, &arena, &objects, &err));
    CHECK_INT(objects.len, 3);
    CHECK_STR(objects.at[0].key, key_of("a.m3u8"));
    CHECK_STR(objects.at[1].key, key_of("b/c.m4s"));
    CHECK_INT(objects.at[2].size_bytes, LARGE);
    CHECK(objects.at[2].modified_at > 0 && objects.at[2].etag[0] != '"');
    DO(bucket_list(bucket, prefix, key_of("a.m3u8"), 1, &arena, &objects, &err));
    CHECK_INT(objects.len, 1);
    CHECK_STR(objects.at[0].key, key_of("b/c.m4s"));
}

static void objects_are_read_into_files(void)
{
    int64_t received = 0;
    struct bucket_watch watch = {.sent = add, .arg = &received};
    char path[] = "/tmp/s3_test.XXXXXX";
    struct object object;
    int fd = mkstemp(path);
    DO(bucket_get_file(bucket, key_of("large.mp4"), fd, &watch, &arena, &object, &err));
    close(fd);
    CHECK_INT(object.size_bytes, LARGE);
    CHECK_INT(received, LARGE);
    CHECK_STR(sha256_of(path), sha256_of(large_path));
    CHECK_STR(object.sha256, sha256_of(path));
    unlink(path);
}

/* Whatever else is in it: page by page, ours are found in their place. */
static void the_whole_bucket_is_listed(void)
{
    const char *after = NULL;
    size_t ours = 0;
    struct objects objects = {.len = 2};
    while (objects.len == 2) {
        DO(bucket_list(bucket, "", after, 2, &arena, &objects, &err));
        for (size_t i = 0; i < objects.len; i++) {
            CHECK(!after || strcmp(after, objects.at[i].key) < 0);
            after = objects.at[i].key;
            ours += strncmp(after, prefix, strlen(prefix)) == 0;
        }
    }
    CHECK_INT(ours, 3);
}

/* Begun by a process that was killed: here by writing to the server what we never do ourselves. */
static void unfinished_uploads_are_found_and_aborted(void)
{
    struct uploads uploads;
    int64_t before, count;
    DO(bucket_count_uploads(bucket, &before, &err));
    for (int i = 0; i < 2; i++) {
        const char *begin = arena_printf(
            &arena,
            "curl -sf --noproxy '*' -X POST -o /dev/null --aws-sigv4 aws:amz:%s:s3 --user %s:%s "
            "-H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' '%s/%s/%sbegun%d?uploads='",
            settings.aws_region, settings.aws_access_key_id, settings.aws_secret_access_key,
            settings.aws_endpoint_url, settings.aws_bucket_name, prefix, i);
        CHECK_INT(system(begin), 0);
    }
    DO(bucket_count_uploads(bucket, &count, &err));
    CHECK_INT(count, before + 2);
    DO(bucket_list_uploads(bucket, prefix, NULL, 10, &arena, &uploads, &err));
    CHECK_INT(uploads.len, 2);
    CHECK_STR(uploads.at[0].key, key_of("begun0"));
    CHECK(uploads.at[0].begun_at > INT64_C(1700000000000));
    DO(bucket_list_uploads(bucket, prefix, NULL, 1, &arena, &uploads, &err));
    CHECK_INT(uploads.len, 1);
    bool aborted = false;
    DO(bucket_abort_upload(bucket, &uploads.at[0], &aborted, &err));
    CHECK(aborted);
    DO(bucket_list_uploads(bucket, prefix, NULL, 10, &arena, &uploads, &err));
    CHECK_INT(uploads.len, 1);
    DO(bucket_abort_upload(bucket, &uploads.at[0], NULL, &err));
    DO(bucket_abort_upload(bucket, &uploads.at[0], NULL, &err));
    DO(bucket_count_uploads(bucket, &count, &err));
    CHECK_INT(count, before);
}

static void a_server_without_rules_says_so(void)
{
    struct lifecycle lifecycle;
    CHECK_INT(bucket_lifecycle(bucket, false, &arena, &lifecycle, &err), -1);
    CHECK_INT(err.code, ERR_STORAGE_UNSUPPORTED);
}

/* By a client that knows nothing of us. */
static void a_presigned_url_is_fetched_by_curl(void)
{
    const char *url;
    struct text text;
    char read[SMALL + 2];
    DO(bucket_presign(bucket, key_of("a.m3u8"), 60, &arena, &url, &err));
    FILE *curl = popen(arena_printf(&arena, "curl -sf --noproxy '*' '%s'", url), "r");
    CHECK(curl);
    size_t len = fread(read, 1, sizeof read, curl);
    CHECK_INT(pclose(curl), 0);
    CHECK_INT(len, SMALL);
    DO(bucket_get(bucket, key_of("a.m3u8"), SMALL, &arena, &text, &err));
    CHECK(memcmp(read, text.at, SMALL) == 0);
    CHECK_INT(bucket_presign(bucket, key_of("a.m3u8"), 604801, &arena, &url, &err), -1);
    CHECK_INT(bucket_presign(bucket, key_of("a.m3u8"), 0, &arena, &url, &err), -1);
}

static bool stop_after_some(void *arg)
{
    return *(int64_t *)arg > 20 << 20;
}

static void a_stopped_upload_is_aborted(void)
{
    int64_t sent = 0;
    size_t aborted = 99;
    struct bucket_watch watch = {.stopped = stop_after_some, .sent = add, .arg = &sent};
    struct bucket_put put = {.key = key_of("stopped.mp4"), .path = large_path, .size_bytes = LARGE};
    CHECK_INT(bucket_put(bucket, &put, 1, &watch, &arena, &err), -1);
    CHECK_INT(err.code, ERR_CANCELLED);
    DO(bucket_abort_uploads(bucket, prefix, &aborted, &err));
    CHECK_INT(aborted, 0);
}

static void objects_are_deleted(void)
{
    struct objects objects;
    const char *keys[] = {key_of("a.m3u8"), key_of("large.mp4"), key_of("never"),
                          key_of("b/c.m4s")};
    struct err errs[4];
    DO(bucket_delete(bucket, keys, 4, errs, &err));
    for (size_t i = 0; i < 4; i++)
        CHECK_INT(errs[i].code, ERR_NONE);
    DO(bucket_list(bucket, prefix, NULL, 10, &arena, &objects, &err));
    CHECK_INT(objects.len, 0);
}

static void wrong_secrets_and_buckets_have_their_codes(void)
{
    struct bucket_settings wrong = settings;
    struct bucket *other;
    struct object object;
    wrong.aws_secret_access_key = "wrong";
    DO(bucket_open(&other, &wrong, &err));
    struct bucket_put put = {.key = key_of("x"), .path = small_path, .size_bytes = SMALL};
    CHECK_INT(bucket_put(other, &put, 1, NULL, &arena, &err), -1);
    CHECK_INT(err.code, ERR_STORAGE_AUTH);
    CHECK(!strstr(err.detail, "wrong"));
    CHECK_INT(bucket_head(other, put.key, &arena, &object, &err), -1);
    CHECK_INT(err.code, ERR_STORAGE_AUTH);
    bucket_free(other);
    wrong = settings;
    wrong.aws_bucket_name = "there-is-no-such-bucket";
    DO(bucket_open(&other, &wrong, &err));
    CHECK_INT(bucket_put(other, &put, 1, NULL, &arena, &err), -1);
    CHECK_INT(err.code, ERR_STORAGE_BUCKET);
    CHECK_INT(bucket_check(other, &err), -1);
    CHECK_INT(err.code, ERR_STORAGE_BUCKET);
    bucket_free(other);
    char name[9];
    id_hex(name, 8);
    wrong.aws_bucket_name = arena_printf(&arena, "made-%s", name);
    wrong.create_bucket = true;
    DO(bucket_open(&other, &wrong, &err));
    DO(bucket_check(other, &err));
    bucket_free(other);
}

int main(void)
{
    settings = (struct bucket_settings){
        .backend = BACKEND_S3,
        .aws_endpoint_url = getenv("AWS_ENDPOINT_URL"),
        .aws_access_key_id = getenv("AWS_ACCESS_KEY_ID"),
        .aws_secret_access_key = getenv("AWS_SECRET_ACCESS_KEY"),
        .aws_bucket_name = getenv("AWS_STORAGE_BUCKET_NAME"),
        .aws_region = getenv("AWS_DEFAULT_REGION"),
        .parallel = 4,
    };
    char name[17];
    if (!settings.aws_endpoint_url) {
        printf("skip: AWS_ENDPOINT_URL is not set\n");
        return 0;
    }
    id_hex(name, 16);
    snprintf(prefix, sizeof prefix, "test/%s/", name);
    make_file(small_path, SMALL);
    make_file(large_path, LARGE);
    DO(bucket_open(&bucket, &settings, &err));
    DO(bucket_check(bucket, &err));
    RUN(files_are_stored);
    RUN(objects_are_read);
    RUN(objects_are_listed);
    RUN(objects_are_read_into_files);
    RUN(the_whole_bucket_is_listed);
    RUN(unfinished_uploads_are_found_and_aborted);
    RUN(a_server_without_rules_says_so);
    RUN(a_presigned_url_is_fetched_by_curl);
    RUN(a_stopped_upload_is_aborted);
    RUN(objects_are_deleted);
    RUN(wrong_secrets_and_buckets_have_their_codes);
    bucket_free(bucket);
    arena_release(&arena);
    unlink(small_path);
    unlink(large_path);
    return 0;
}
