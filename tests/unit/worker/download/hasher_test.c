/* The sum of a file is that of its bytes, whoever hashed them. */
#include "worker/download/hasher.h"

#include <unistd.h>

#include "check.h"

enum { LONG = HASHER_ALONE + 3 * HASHER_STEP, PIECE = 64 << 10 };

static char path[] = "/tmp/hasher_test.XXXXXX";
static int fd;
static struct err err;

/* Writes `len` bytes and tells of them, in pieces of at most `most`. */
static struct hasher *begin(const char *bytes, size_t len, size_t most)
{
    CHECK_INT(ftruncate(fd, 0), 0);
    struct hasher *hasher = hasher_open(fd);
    for (size_t at = 0, part; at < len; at += part) {
        part = len - at < most ? len - at : most;
        CHECK_INT(pwrite(fd, bytes + at, part, (off_t)at), part);
        hasher_add(hasher, bytes + at, part);
    }
    return hasher;
}

static void check_sum(size_t len, size_t most)
{
    uint8_t is[DIGEST_LEN], should[DIGEST_LEN];
    char *bytes = malloc(len + 1);
    CHECK(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)(i * 31 + i / 4096);
    struct hasher *hasher = begin(bytes, len, most);
    CHECK_INT(hasher_end(hasher, is, &err), 0);
    digest_sha256(bytes, len, should);
    CHECK(digest_equal(is, should, DIGEST_LEN));
    free(bytes);
}

static void short_and_long_files_have_their_sum(void)
{
    static const size_t lens[] = {0, 1, PIECE, HASHER_ALONE - 1, HASHER_ALONE, LONG, LONG + 1};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++)
        check_sum(lens[i], PIECE);
}

static void pieces_may_have_any_size(void)
{
    check_sum(LONG, PIECE - 7);
    check_sum(LONG, LONG);
}

/* A file that ends too early leaves no thread and no memory. */
static void a_file_may_be_given_up(void)
{
    static const char bytes[LONG];
    for (size_t len = 0; len <= LONG; len += LONG / 2)
        hasher_free(begin(bytes, len, PIECE));
    hasher_free(NULL);
}

/* Somebody else's hand in the workspace: what is not there has no sum. */
static void a_file_that_shrinks_is_told(void)
{
    static const char bytes[LONG];
    uint8_t is[DIGEST_LEN];
    struct hasher *hasher = begin(bytes, LONG, PIECE);
    hasher_add(hasher, bytes, HASHER_STEP); /* which is not there */
    CHECK_INT(hasher_end(hasher, is, &err), -1);
    CHECK_INT(err.code, ERR_IO_ERROR);
}

int main(void)
{
    fd = mkstemp(path);
    CHECK(fd >= 0);
    RUN(short_and_long_files_have_their_sum);
    RUN(pieces_may_have_any_size);
    RUN(a_file_may_be_given_up);
    RUN(a_file_that_shrinks_is_told);
    close(fd);
    unlink(path);
    return 0;
}
