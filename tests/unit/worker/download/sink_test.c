/* What is in the file, and its sum, are the bytes that were given: in any pieces, and from the last
 * beginning on. */
#include "worker/download/sink.h"

#include <fcntl.h>
#include <unistd.h>

#include "check.h"

enum { LEN = HASHER_ALONE + 2 * HASHER_STEP + 1234 };

static char path[] = "/tmp/sink_test.XXXXXX";
static char media[LEN], back[LEN + 1];
static struct err err;

static void give(struct sink *sink, size_t len, size_t piece)
{
    for (size_t at = 0, part; at < len; at += part) {
        part = len - at < piece ? len - at : piece;
        CHECK_INT(sink_write(sink, media + at, part, &err), 0);
        CHECK_INT(sink->written, at + part);
    }
}

static void check_end(struct sink *sink, size_t len)
{
    uint8_t sum[DIGEST_LEN];
    char is[DIGEST_HEX_LEN + 1], should[DIGEST_HEX_LEN + 1];
    CHECK_INT(sink_end(sink, is, &err), 0);
    sink_close(sink);
    digest_sha256(media, len, sum);
    digest_hex(sum, should);
    CHECK_STR(is, should);
    int fd = open(path, O_RDONLY);
    CHECK_INT(read(fd, back, sizeof back), len);
    close(fd);
    CHECK(memcmp(back, media, len) == 0);
    CHECK_STR(sink->type->name, "MP4");
}

static void all_arrives_in_any_pieces(void)
{
    static const struct {
        size_t len, piece;
    } rows[] = {{100, 1}, {SINK_BYTES, 16384}, {SINK_BYTES + 1, 5000}, {LEN, 16384}, {LEN, LEN}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sink sink;
        CHECK_INT(sink_open(&sink, path, &err), 0);
        give(&sink, rows[i].len, rows[i].piece);
        check_end(&sink, rows[i].len);
    }
}

/* Of what came before, nothing is left: not in the file, not in the sum, not in the buffer. */
static void a_new_beginning_forgets_the_old_one(void)
{
    static const size_t before[] = {100, SINK_BYTES + 100, LEN};
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        struct sink sink;
        CHECK_INT(sink_open(&sink, path, &err), 0);
        give(&sink, before[i], 70000);
        CHECK_INT(sink_restart(&sink, &err), 0);
        CHECK_INT(sink.written, 0);
        give(&sink, 5000, 700);
        check_end(&sink, 5000);
    }
}

static void what_is_given_up_leaves_nothing_open(void)
{
    struct sink sink;
    CHECK_INT(sink_open(&sink, path, &err), 0);
    give(&sink, LEN, 16384);
    sink_close(&sink);
    sink_close(&sink);
    CHECK_INT(sink.fd, -1);
}

/* The last bytes are written at the end, and are missed there. */
static void a_full_disk_is_told_at_the_end_at_the_latest(void)
{
    struct sink sink;
    char sha256[DIGEST_HEX_LEN + 1];
    CHECK_INT(sink_open(&sink, "/dev/full", &err), 0);
    give(&sink, 100, 100);
    CHECK_INT(sink_end(&sink, sha256, &err), -1);
    CHECK_INT(err.code, ERR_DISK_FULL);
    sink_close(&sink);
}

int main(void)
{
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    close(fd);
    for (size_t i = 0; i < LEN; i++)
        media[i] = (char)(i * 7 + i / 1000);
    memcpy(media,
           "\0\0\0\x20"
           "ftypisom",
           12);
    RUN(all_arrives_in_any_pieces);
    RUN(a_new_beginning_forgets_the_old_one);
    RUN(what_is_given_up_leaves_nothing_open);
    RUN(a_full_disk_is_told_at_the_end_at_the_latest);
    unlink(path);
    return 0;
}
