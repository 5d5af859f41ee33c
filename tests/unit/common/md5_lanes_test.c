/* Eight sums at once are those that libcrypto makes one by one. */
#include "common/md5_lanes.h"

#include "check.h"
#include "common/digest.h"

enum { LEN_MAX = 5000 };

static uint8_t text[MD5_LANES][LEN_MAX + MD5_PAD_MAX];

static void check_sum(const struct md5_lanes *lanes, size_t lane, size_t len)
{
    uint8_t is[DIGEST_MD5_LEN], should[DIGEST_LEN];
    struct digest *digest = digest_begin_md5();
    digest_add(digest, text[lane], len);
    digest_end(digest, should);
    md5_lanes_get(lanes, lane, is);
    CHECK(digest_equal(is, should, DIGEST_MD5_LEN));
}

/* The texts whole, in one go. */
static void check_sums(const size_t lens[MD5_LANES])
{
    const uint8_t *bytes[MD5_LANES];
    size_t blocks[MD5_LANES];
    struct md5_lanes lanes;
    for (size_t i = 0; i < MD5_LANES; i++) {
        size_t pad = md5_lanes_pad(text[i] + lens[i], lens[i]);
        CHECK(pad <= MD5_PAD_MAX && (lens[i] + pad) % MD5_BLOCK == 0);
        blocks[i] = (lens[i] + pad) / MD5_BLOCK;
        bytes[i] = text[i];
    }
    md5_lanes_begin(&lanes);
    md5_lanes_add(&lanes, bytes, blocks);
    for (size_t i = 0; i < MD5_LANES; i++)
        check_sum(&lanes, i, lens[i]);
}

static void fill(void)
{
    for (size_t lane = 0; lane < MD5_LANES; lane++)
        for (size_t i = 0; i < LEN_MAX; i++)
            text[lane][i] = (uint8_t)(i * (lane + 3) + i / 251);
}

static void texts_of_one_length_have_their_sums(void)
{
    static const size_t lens[] = {0, 1, 55, 56, 63, 64, 65, 119, 120, 128, LEN_MAX};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        const size_t each = lens[i],
                     all[MD5_LANES] = {each, each, each, each, each, each, each, each};
        fill();
        check_sums(all);
    }
}

static void texts_of_different_lengths_have_their_sums(void)
{
    static const size_t rows[][MD5_LANES] = {
        {0, 1, 55, 56, 63, 64, 65, LEN_MAX},
        {LEN_MAX, 64, 0, 4096, 4095, 4097, 55, 1},
        {1000, 1000, 0, 0, 0, 0, 0, 2000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fill();
        check_sums(rows[i]);
    }
}

/* Text 2 has eight pieces of one block, text 5 one of two blocks, the others none. */
static void pieces_of_some_do_not_touch_the_others(void)
{
    struct md5_lanes lanes;
    fill();
    size_t pad2 = md5_lanes_pad(text[2] + 500, 500), pad5 = md5_lanes_pad(text[5] + 70, 70);
    CHECK_INT(500 + pad2, 8 * MD5_BLOCK);
    CHECK_INT(70 + pad5, 2 * MD5_BLOCK);
    md5_lanes_begin(&lanes);
    for (size_t i = 0; i < 8; i++) {
        const uint8_t *bytes[MD5_LANES] = {[2] = text[2] + i * MD5_BLOCK, [5] = text[5]};
        const size_t blocks[MD5_LANES] = {[2] = 1, [5] = i == 3 ? 2 : 0};
        md5_lanes_add(&lanes, bytes, blocks);
    }
    check_sum(&lanes, 2, 500);
    check_sum(&lanes, 5, 70);
}

int main(void)
{
    RUN(texts_of_one_length_have_their_sums);
    RUN(texts_of_different_lengths_have_their_sums);
    RUN(pieces_of_some_do_not_touch_the_others);
    return 0;
}
