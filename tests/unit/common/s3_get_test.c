/* A whole object into a file, over transfers that break off. */
#include <fcntl.h>

#include "s3_stub.h"

enum { GAIN = 1 << 20, WHOLE = GAIN + 10 }; /* as s3_get.c counts a gain */

static int fd;
static int64_t received;
static char content[WHOLE], read_back[WHOLE + 1];

static void add(void *arg, int64_t bytes)
{
    *(int64_t *)arg += bytes;
}

/* An answer of `len` bytes from `from`, with the length that its headers tell. */
static struct stub_step part(const char *head, size_t from, size_t len)
{
    size_t head_len = strlen(head);
    char *answer = arena_alloc(&arena, head_len + len);
    memcpy(answer, head, head_len);
    memcpy(answer + head_len, content + from, len);
    return (struct stub_step){.answer = answer, .len = head_len + len};
}

#define WHOLE_HEAD                                                                                 \
    "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 1048586\r\nx-amz-meta-sha256: ab\r\n"      \
    "Content-Type: video/mp4\r\nConnection: close\r\n\r\n"
#define REST_HEAD                                                                                  \
    "HTTP/1.1 206 X\r\nETag: \"v1\"\r\nContent-Length: 10\r\n"                                     \
    "Content-Range: bytes 1048576-1048585/1048586\r\nConnection: close\r\n\r\n"

static int get(const struct stub_step *steps, size_t len, struct object *object)
{
    struct bucket_watch watch = {.sent = add, .arg = &received};
    struct bucket *bucket = serve(steps, len);
    received = 0;
    int result = bucket_get_file(bucket, "p/a", fd, &watch, &arena, object, &err);
    end(bucket);
    CHECK_INT(server.served, len);
    return result;
}

static void check_file(void)
{
    CHECK_INT(pread(fd, read_back, sizeof read_back, 0), WHOLE);
    CHECK(memcmp(read_back, content, WHOLE) == 0);
}

static void an_object_comes_whole(void)
{
    struct object object;
    const struct stub_step step = part(WHOLE_HEAD, 0, WHOLE);
    CHECK(write(fd, "older content", 13) == 13);
    CHECK_INT(get(&step, 1, &object), 0);
    check_file();
    CHECK_INT(object.size_bytes, WHOLE);
    CHECK_STR(object.etag, "v1");
    CHECK_STR(object.sha256, "ab");
    CHECK_STR(object.content_type, "video/mp4");
    CHECK_INT(received, WHOLE);
}

static void what_broke_off_goes_on(void)
{
    struct object object;
    const struct stub_step steps[] = {part(WHOLE_HEAD, 0, GAIN), part(REST_HEAD, GAIN, 10)};
    CHECK_INT(get(steps, 2, &object), 0);
    check_file();
    CHECK_INT(object.size_bytes, WHOLE);
    CHECK_INT(received, WHOLE);
    CHECK(strcasestr(server.heads[1], "\r\nrange: bytes=1048576-\r\n"));
    CHECK(strcasestr(server.heads[1], "\r\nif-match: \"v1\"\r\n"));
}

static void a_server_without_ranges_begins_again(void)
{
    struct object object;
    const struct stub_step steps[] = {part(WHOLE_HEAD, 0, GAIN), part(WHOLE_HEAD, 0, WHOLE)};
    CHECK_INT(get(steps, 2, &object), 0);
    check_file();
    CHECK_INT(received, WHOLE);
}

static void another_version_is_a_mismatch(void)
{
    struct object object;
    const struct stub_step steps[] = {part(WHOLE_HEAD, 0, GAIN),
                                      {.answer = REFUSAL("412", "PreconditionFailed")}};
    CHECK_INT(get(steps, 2, &object), -1);
    CHECK_INT(err.code, ERR_STORAGE_MISMATCH);
}

static void another_part_is_a_mismatch(void)
{
    struct object object;
    const struct stub_step steps[] = {
        part(WHOLE_HEAD, 0, GAIN),
        part("HTTP/1.1 206 X\r\nContent-Range: bytes 10-19/30\r\nContent-Length: 10\r\n\r\n", 0,
             10)};
    CHECK_INT(get(steps, 2, &object), -1);
    CHECK_INT(err.code, ERR_STORAGE_MISMATCH);
}

static void an_empty_object_is_an_empty_file(void)
{
    struct object object;
    const struct stub_step step = {
        .answer = "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: 0\r\n\r\n"};
    CHECK_INT(get(&step, 1, &object), 0);
    CHECK_INT(object.size_bytes, 0);
    CHECK_INT(lseek(fd, 0, SEEK_END), 0);
}

static void a_refusal_is_no_content(void)
{
    struct object object;
    const struct stub_step step = {.answer = REFUSAL("404", "NoSuchKey")};
    CHECK_INT(get(&step, 1, &object), -1);
    CHECK_INT(err.code, ERR_OBJECT_NOT_FOUND);
    CHECK_INT(lseek(fd, 0, SEEK_END), 0);
}

int main(void)
{
    char path[] = "/tmp/s3_get_test.XXXXXX";
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (char)(i * 7 + i / 251);
    fd = mkstemp(path);
    CHECK(fd >= 0 && unlink(path) == 0);
    RUN(an_object_comes_whole);
    RUN(what_broke_off_goes_on);
    RUN(a_server_without_ranges_begins_again);
    RUN(another_version_is_a_mismatch);
    RUN(another_part_is_a_mismatch);
    RUN(an_empty_object_is_an_empty_file);
    RUN(a_refusal_is_no_content);
    close(fd);
    arena_release(&arena);
    return 0;
}
