/* Known answers: FIPS 180-2 and RFC 4231. */
#include "common/digest.h"

#include "check.h"

static void known_hash(void)
{
    uint8_t digest[DIGEST_LEN];
    char hex[DIGEST_HEX_LEN + 1];
    digest_sha256("abc", 3, digest);
    digest_hex(digest, hex);
    CHECK_STR(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void hash_in_pieces(void)
{
    uint8_t whole[DIGEST_LEN], pieces[DIGEST_LEN];
    struct digest *digest = digest_begin();
    digest_sha256("hello world", 11, whole);
    digest_add(digest, "hello", 5);
    digest_add(digest, " world", 6);
    digest_end(digest, pieces);
    CHECK(digest_equal(whole, pieces, DIGEST_LEN));
    digest_end(digest_begin(), NULL);
}

static void known_hmac(void)
{
    uint8_t digest[DIGEST_LEN];
    char hex[DIGEST_HEX_LEN + 1];
    digest_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, digest);
    digest_hex(digest, hex);
    CHECK_STR(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void comparison(void)
{
    CHECK(digest_equal("same", "same", 4));
    CHECK(!digest_equal("same", "sane", 4));
}

static void md5_and_base64_are_what_s3_expects(void)
{
    uint8_t md5[DIGEST_LEN];
    char text[25];
    struct digest *digest = digest_begin_md5();
    digest_add(digest, "abc", 3);
    digest_end(digest, md5);
    digest_base64(md5, DIGEST_MD5_LEN, text);
    CHECK_STR(text, "kAFQmDzST7DWlj99KOF/cg==");
}

int main(void)
{
    RUN(md5_and_base64_are_what_s3_expects);
    RUN(known_hash);
    RUN(hash_in_pieces);
    RUN(known_hmac);
    RUN(comparison);
    return 0;
}
