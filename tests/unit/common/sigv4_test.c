/* Signatures against the examples that AWS publishes: the aws-sig-v4-test-suite and the S3 API
 * reference. */
#include "common/sigv4.h"

#include "check.h"

static const struct sigv4_key suite = {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                                       "us-east-1", "service"};
static const struct sigv4_key s3 = {"AKIAIOSFODNN7EXAMPLE",
                                    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1", "s3"};
enum { SUITE_TIME = 1440938160, S3_TIME = 1369353600 }; /* 20150830T123600Z, 20130524T000000Z */

static void check_signature(const struct sigv4_key *key, struct sigv4_request request,
                            const char *should)
{
    struct arena arena = {0};
    const char *is = strstr(sigv4_authorization(key, &request, &arena), "Signature=");
    CHECK(is);
    CHECK_STR(is + strlen("Signature="), should);
    arena_release(&arena);
}

static struct sigv4_request suite_request(const char *method, const char *path)
{
    static const struct sigv4_pair headers[] = {{"Host", "example.amazonaws.com"},
                                                {"X-Amz-Date", "20150830T123600Z"}};
    return (struct sigv4_request){.method = method,
                                  .path = path,
                                  .headers = headers,
                                  .headers_len = 2,
                                  .payload_sha256 = SIGV4_EMPTY,
                                  .at_s = SUITE_TIME};
}

static void the_suite_agrees(void)
{
    check_signature(&suite, suite_request("GET", "/"),
                    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    check_signature(&suite, suite_request("POST", "/"),
                    "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
    struct sigv4_request request = suite_request("GET", "/");
    static const struct sigv4_pair query[] = {{"Param2", "value2"}, {"Param1", "value1"}};
    request.query = query;
    request.query_len = 2;
    check_signature(&suite, request,
                    "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
}

static void the_suite_agrees_on_headers(void)
{
    struct sigv4_request request = suite_request("GET", "/");
    static const struct sigv4_pair headers[] = {{"Host", "example.amazonaws.com"},
                                                {"My-Header1", " value1"},
                                                {"My-Header2", " \"a   b   c\"  "},
                                                {"X-Amz-Date", "20150830T123600Z"}};
    request.headers = headers;
    request.headers_len = 4;
    check_signature(&suite, request,
                    "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736");
}

static void s3_get_with_range(void)
{
    static const struct sigv4_pair headers[] = {{"Host", "examplebucket.s3.amazonaws.com"},
                                                {"Range", "bytes=0-9"},
                                                {"x-amz-content-sha256", SIGV4_EMPTY},
                                                {"x-amz-date", "20130524T000000Z"}};
    struct sigv4_request request = {.method = "GET",
                                    .path = "/test.txt",
                                    .headers = headers,
                                    .headers_len = 4,
                                    .payload_sha256 = SIGV4_EMPTY,
                                    .at_s = S3_TIME};
    check_signature(&s3, request,
                    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    struct arena arena = {0};
    CHECK_STR(sigv4_authorization(&s3, &request, &arena),
              "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
              "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
              "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    arena_release(&arena);
}

static void s3_put(void)
{
    static const char hash[] = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
    static const struct sigv4_pair headers[] = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                                                {"Host", "examplebucket.s3.amazonaws.com"},
                                                {"x-amz-content-sha256", hash},
                                                {"x-amz-date", "20130524T000000Z"},
                                                {"x-amz-storage-class", "REDUCED_REDUNDANCY"}};
    struct sigv4_request request = {.method = "PUT",
                                    .path = "/test$file.text",
                                    .headers = headers,
                                    .headers_len = 5,
                                    .payload_sha256 = hash,
                                    .at_s = S3_TIME};
    check_signature(&s3, request,
                    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

static struct sigv4_request s3_query(const struct sigv4_pair *query, size_t len)
{
    static const struct sigv4_pair headers[] = {{"Host", "examplebucket.s3.amazonaws.com"},
                                                {"x-amz-content-sha256", SIGV4_EMPTY},
                                                {"x-amz-date", "20130524T000000Z"}};
    return (struct sigv4_request){.method = "GET",
                                  .path = "/",
                                  .query = query,
                                  .query_len = len,
                                  .headers = headers,
                                  .headers_len = 3,
                                  .payload_sha256 = SIGV4_EMPTY,
                                  .at_s = S3_TIME};
}

static void s3_queries(void)
{
    static const struct sigv4_pair lifecycle[] = {{"lifecycle", ""}};
    static const struct sigv4_pair list[] = {{"prefix", "J"}, {"max-keys", "2"}};
    check_signature(&s3, s3_query(lifecycle, 1),
                    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    check_signature(&s3, s3_query(list, 2),
                    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void s3_presigned(void)
{
    static const struct sigv4_pair headers[] = {{"Host", "examplebucket.s3.amazonaws.com"}};
    struct sigv4_request request = {.method = "GET",
                                    .path = "/test.txt",
                                    .headers = headers,
                                    .headers_len = 1,
                                    .at_s = S3_TIME};
    struct arena arena = {0};
    CHECK_STR(sigv4_presign(&s3, &request, 86400, &arena),
              "X-Amz-Algorithm=AWS4-HMAC-SHA256"
              "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
              "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
              "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
    arena_release(&arena);
}

static void text_is_encoded_once(void)
{
    struct arena arena = {0};
    CHECK_STR(sigv4_encode("/a b/~-._%\xc3\xa9+", true, &arena), "/a%20b/~-._%25%C3%A9%2B");
    CHECK_STR(sigv4_encode("a/b=", false, &arena), "a%2Fb%3D");
    static const struct sigv4_pair query[] = {{"b", ""}, {"a", "2"}, {"a", "1"}, {"A", "x"}};
    CHECK_STR(sigv4_query(query, 4, &arena), "A=x&a=1&a=2&b=");
    CHECK_STR(sigv4_query(NULL, 0, &arena), "");
    arena_release(&arena);
}

int main(void)
{
    RUN(the_suite_agrees);
    RUN(the_suite_agrees_on_headers);
    RUN(s3_get_with_range);
    RUN(s3_put);
    RUN(s3_queries);
    RUN(s3_presigned);
    RUN(text_is_encoded_once);
    return 0;
}
