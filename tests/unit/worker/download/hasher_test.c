/* The sum of a stream is that of its bytes, whoever hashed them. */
#include "worker/download/hasher.h"

#include "check.h"

enum { LONG = HASHER_ALONE + 3 * HASHER_BUFFERS * HASHER_BYTES };

/* A stream of `len` bytes given in pieces of at most `most`. */
static void check_sum(size_t len, size_t most)
{
    uint8_t is[DIGEST_LEN], should[DIGEST_LEN];
    char *bytes = malloc(len + 1);
    CHECK(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)(i * 31 + i / 4096);
    struct hasher *hasher = hasher_open();
    for (size_t at = 0, part; at < len; at += part) {
        part = len - at < most ? len - at : most;
        memcpy(hasher_buffer(hasher), bytes + at, part);
        hasher_add(hasher, part);
    }
    hasher_end(hasher, is);
    digest_sha256(bytes, len, should);
    CHECK(digest_equal(is, should, DIGEST_LEN));
    free(bytes);
}

static void short_and_long_streams_have_their_sum(void)
{
    static const size_t lens[] = {0,    1,       HASHER_BYTES, HASHER_ALONE - 1, HASHER_ALONE,
                                  LONG, LONG + 1};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++)
        check_sum(lens[i], HASHER_BYTES);
}

static void buffers_need_not_be_full(void)
{
    check_sum(LONG, HASHER_BYTES - 7);
}

/* A stream that ends too early leaves no thread and no memory. */
static void a_stream_may_be_given_up(void)
{
    for (size_t len = 0; len <= LONG; len += LONG / 2) {
        struct hasher *hasher = hasher_open();
        for (size_t at = 0; at < len; at += HASHER_BYTES) {
            memset(hasher_buffer(hasher), 'x', HASHER_BYTES);
            hasher_add(hasher, HASHER_BYTES);
        }
        hasher_buffer(hasher);
        hasher_end(hasher, NULL);
    }
}

int main(void)
{
    RUN(short_and_long_streams_have_their_sum);
    RUN(buffers_need_not_be_full);
    RUN(a_stream_may_be_given_up);
    return 0;
}
