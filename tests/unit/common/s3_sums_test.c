/* Where the server compares x-amz-checksum-sha256, that is what it gets; where it does not, it does
 * not. */
#include "s3_files.h"

static char part_sha256[DIGEST_HEX_LEN + 1];
static const char nothing_summed[] = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

static void are_summed(size_t first, size_t last)
{
    for (size_t i = first; i <= last; i++) {
        CHECK(has(i, "x-amz-content-sha256", "UNSIGNED-PAYLOAD"));
        CHECK(has(i, "x-amz-checksum-sha256", "") && !has(i, "content-md5", ""));
        CHECK(strstr(server.heads[i], ";x-amz-checksum-sha256;")); /* signed */
    }
}

/* Of a file with that ETag, which is no sum of anything. */
static const char *stored(const char *sum)
{
    return arena_printf(&arena,
                        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nx-amz-checksum-sha256: %s\r\n"
                        "ETag: \"00000000000000000000000000000000\"\r\nConnection: close\r\n\r\n",
                        sum);
}

/* Then the sum is a header of its own, and the completion, or the answer, repeats it. */
static void a_server_that_compares_sums_gets_them(void)
{
    char zeros[DIGEST_BASE64_LEN + 1], small[DIGEST_BASE64_LEN + 1];
    CHECK_INT(digest_hex_base64(part_sha256, zeros), 0);
    CHECK_INT(digest_hex_base64(small_sha256, small), 0);
    const struct stub_step steps[] = {
        COMPARES_SUMS,         {.answer = BEGUN_SUMMED}, {.answer = PART},
        {.answer = PART},      {.answer = PART},         {.answer = PART},
        {.answer = COMPLETED}, {.answer = HEAD},         {.answer = stored(small)}};
    struct bucket *bucket = serve(steps, 10);
    put(bucket, large_put(large_sha256), ERR_NONE);
    put(bucket, small_put(small_sha256), ERR_NONE);
    end(bucket);
    CHECK_INT(server.served, 10);
    CHECK(has(1, "x-amz-checksum-sha256", nothing_summed) && server.body_lens[1] == 5);
    CHECK(has(2, "x-amz-checksum-algorithm", "SHA256"));
    are_summed(3, 6);
    CHECK(has(6, "x-amz-checksum-sha256", zeros));
    CHECK(strstr(server.body[7], arena_printf(&arena,
                                              "<Part><PartNumber>4</PartNumber><ETag>&quot;e&quot;"
                                              "</ETag><ChecksumSHA256>%s</ChecksumSHA256></Part>",
                                              zeros)));
    are_summed(9, 9);
    CHECK(has(9, "x-amz-checksum-sha256", small));
}

static void none_is_summed(size_t first, size_t last)
{
    for (size_t i = first; i <= last; i++)
        CHECK(!has(i, "x-amz-content-sha256", "UNSIGNED") &&
              !strcasestr(server.heads[i], "checksum"));
}

static void a_server_that_takes_no_sums_of_parts_gets_none(void)
{
    const struct stub_step steps[] = {
        COMPARES_SUMS,     {.answer = REFUSAL("501", "NotImplemented")},
        {.answer = BEGUN}, {.answer = PART},
        {.answer = PART},  {.answer = PART},
        {.answer = PART},  {.answer = COMPLETED},
        {.answer = HEAD},  {.answer = PART}};
    struct bucket *bucket = serve(steps, 11);
    put(bucket, large_put(large_sha256), ERR_NONE);
    put(bucket, small_put(small_sha256), ERR_NONE);
    end(bucket);
    CHECK_INT(server.served, 11);
    CHECK(has(2, "x-amz-checksum-algorithm", "SHA256"));
    CHECK(!strcasestr(server.heads[3], "checksum"));
    none_is_summed(4, 7);
    CHECK(!strstr(server.body[8], "Checksum"));
    none_is_summed(10, 10);
}

#define UPLOADS(some) ANSWER("<ListMultipartUploadsResult>" some "</ListMultipartUploadsResult>")

/* The upload that it began all the same is ended. */
static void a_server_that_says_nothing_of_sums_gets_none(void)
{
    const struct stub_step steps[] = {
        COMPARES_SUMS,
        {.answer = BEGUN},
        {.answer = BEGUN},
        {.answer = PART},
        {.answer = PART},
        {.answer = PART},
        {.answer = PART},
        {.answer = COMPLETED},
        {.answer = HEAD},
        {.answer = UPLOADS("<Upload><Key>p/source.mp4</Key><UploadId>U0</UploadId></Upload>")},
        {.answer = GONE},
        {.answer = UPLOADS("")}};
    struct bucket *bucket = serve(steps, 13);
    put(bucket, large_put(large_sha256), ERR_NONE);
    end(bucket);
    CHECK_INT(server.served, 13);
    CHECK(!strcasestr(server.heads[3], "checksum"));
    none_is_summed(4, 7);
    CHECK(strstr(server.heads[11], "DELETE /bu/p/source.mp4?uploadId=U0 "));
}

/* The server refuses it; then we look whose fault it was. A large one is not even completed. */
static void other_files_are_not_stored(void)
{
    const struct stub_step steps[] = {COMPARES_SUMS,    {.answer = BEGUN_SUMMED},
                                      {.answer = PART}, {.answer = PART},
                                      {.answer = PART}, {.answer = PART},
                                      {.answer = GONE}, {.answer = REFUSAL("400", "BadDigest")},
                                      {.answer = PART}};
    struct bucket *bucket = serve(steps, 10);
    put(bucket, large_put(small_sha256), ERR_STORAGE_MISMATCH);
    put(bucket, small_put(large_sha256), ERR_STORAGE_MISMATCH);
    CHECK(strstr(err.detail, "is not what it was"));
    end(bucket);
    CHECK_INT(server.served, 9);
    CHECK(strstr(server.heads[7], "DELETE /bu/p/source.mp4?uploadId=U "));
    are_summed(8, 8);
}

/* Asks what the server compares for a file that is not there. */
static void learn(struct bucket *bucket)
{
    struct bucket_put gone = large_put(large_sha256);
    gone.path = "/nowhere/at.all";
    put(bucket, gone, ERR_IO_ERROR);
}

static void an_answer_with_another_sum_is_not_believed(void)
{
    char small[DIGEST_BASE64_LEN + 1];
    CHECK_INT(digest_hex_base64(small_sha256, small), 0);
    const struct stub_step steps[] = {
        COMPARES_SUMS, {.answer = stored(nothing_summed)}, {.answer = stored(small)}};
    struct bucket *bucket = serve(steps, 4);
    learn(bucket);
    put(bucket, small_put(small_sha256), ERR_NONE);
    end(bucket);
    CHECK_INT(server.served, 4);
    are_summed(2, 3);
}

/* It gets no more; its ETag is compared. */
static void a_server_that_repeats_no_sum_gets_none(void)
{
    const struct stub_step steps[] = {
        COMPARES_SUMS, {.answer = PART}, {.answer = WRONG}, {.answer = PART}, {.answer = PART}};
    struct bucket *bucket = serve(steps, 6);
    learn(bucket);
    put(bucket, small_put(small_sha256), ERR_NONE);
    put(bucket, small_put(small_sha256), ERR_NONE);
    end(bucket);
    CHECK_INT(server.served, 6);
    are_summed(2, 2);
    none_is_summed(3, 5);
    CHECK(has(5, "x-amz-content-sha256", small_sha256));
}

int main(void)
{
    char part_path[] = "/tmp/s3_files_test.XXXXXX";
    make_file(part_path, 16 << 20, part_sha256);
    unlink(part_path);
    make_files();
    RUN(a_server_that_compares_sums_gets_them);
    RUN(a_server_that_takes_no_sums_of_parts_gets_none);
    RUN(a_server_that_says_nothing_of_sums_gets_none);
    RUN(other_files_are_not_stored);
    RUN(an_answer_with_another_sum_is_not_believed);
    RUN(a_server_that_repeats_no_sum_gets_none);
    remove_files();
    return 0;
}
