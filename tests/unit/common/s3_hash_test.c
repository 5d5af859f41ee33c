/* Which checksums go with a file, and that a file which is not what was announced is never stored.
 */
#include "s3_files.h"

static const char nothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/* Asked with a body that is not what is signed; refused for that, it needs to be told no MD5 any
 * more. */
static void a_server_that_compares_sha256_gets_no_md5(void)
{
    const struct stub_step steps[] = {COMPARES_SHA256,       {.answer = BEGUN}, {.answer = PART},
                                      {.answer = PART},      {.answer = PART},  {.answer = PART},
                                      {.answer = COMPLETED}, {.answer = HEAD},  {.answer = PART}};
    struct bucket *bucket = serve(steps, 10);
    put(bucket, large_put(large_sha256), ERR_NONE);
    put(bucket, small_put(small_sha256), ERR_NONE);
    end(bucket);
    CHECK_INT(server.served, 10);
    CHECK(strstr(server.heads[0], "PUT /bu/mediafleet-check/probe "));
    CHECK(has(0, "x-amz-content-sha256", nothing) && server.body_lens[0] == 5);
    for (size_t i = 3; i < 7; i++)
        CHECK(!has(i, "content-md5", "") && !has(i, "x-amz-content-sha256", nothing));
    CHECK(has(7, "content-md5", "")); /* no file: some servers demand it of documents */
    CHECK(!has(9, "content-md5", "") && has(9, "x-amz-content-sha256", small_sha256));
}

/* What it stored goes away again. */
static void a_server_that_does_not_gets_both(void)
{
    const struct stub_step steps[] = {
        {.answer = STORED}, {.answer = ANSWER("<DeleteResult></DeleteResult>")},
        {.answer = BEGUN},  {.answer = PART},
        {.answer = PART},   {.answer = PART},
        {.answer = PART},   {.answer = COMPLETED},
        {.answer = HEAD}};
    struct bucket *bucket = serve(steps, 9);
    put(bucket, large_put(large_sha256), ERR_NONE);
    end(bucket);
    CHECK_INT(server.served, 9);
    CHECK(strstr(server.heads[1], "POST /bu?delete= "));
    CHECK(strstr(server.body[1], "mediafleet-check/probe"));
    for (size_t i = 3; i < 7; i++)
        CHECK(has(i, "content-md5", ""));
}

/* Nothing is taken for granted; who is asked next time is asked again. */
static void a_server_that_does_not_say_gets_both(void)
{
    const struct stub_step steps[] = {{.answer = REFUSAL("503", "SlowDown")},
                                      {.answer = REFUSAL("403", "AccessDenied")},
                                      COMPARES_SHA256,
                                      {.answer = PART}};
    struct bucket *bucket = serve(steps, 5);
    put(bucket, large_put(large_sha256), ERR_STORAGE_AUTH);
    put(bucket, small_put(small_sha256), ERR_NONE);
    end(bucket);
    CHECK_INT(server.served, 5);
    CHECK(!has(4, "content-md5", ""));
}

static void little_is_sent_without_asking(void)
{
    const struct stub_step step = {.answer = PART};
    struct bucket *bucket = serve(&step, 1);
    put(bucket, small_put(small_sha256), ERR_NONE);
    end(bucket);
    CHECK(has(0, "content-md5", "") && has(0, "x-amz-content-sha256", small_sha256));
}

/* While it is read anyway, it is compared at once. */
static void another_small_file_is_not_sent(void)
{
    const struct stub_step step = {.answer = PART};
    struct bucket *bucket = serve(&step, 1);
    put(bucket, small_put(large_sha256), ERR_STORAGE_MISMATCH);
    CHECK(strstr(err.detail, "is not what it was"));
    end(bucket);
    CHECK_INT(server.served, 0);
}

/* Where the server compares, it refuses; then we look whose fault it was. */
static void another_small_file_is_not_stored(void)
{
    const struct stub_step steps[] = {COMPARES_SHA256,
                                      {.answer = REFUSAL("403", "AccessDenied")},
                                      {.answer = MISMATCH},
                                      {.answer = PART}};
    struct bucket *bucket = serve(steps, 5);
    put(bucket, large_put(large_sha256), ERR_STORAGE_AUTH);
    put(bucket, small_put(large_sha256), ERR_STORAGE_MISMATCH);
    CHECK(strstr(err.detail, "is not what it was"));
    end(bucket);
    CHECK_INT(server.served, 4);
    CHECK(has(3, "x-amz-content-sha256", large_sha256));
}

static void another_large_file_is_never_completed(void)
{
    const struct stub_step steps[] = {COMPARES_SHA256,  {.answer = BEGUN}, {.answer = PART},
                                      {.answer = PART}, {.answer = PART},  {.answer = PART},
                                      {.answer = GONE}};
    struct bucket *bucket = serve(steps, 8);
    put(bucket, large_put(small_sha256), ERR_STORAGE_MISMATCH);
    end(bucket);
    CHECK_INT(server.served, 8);
    CHECK(strstr(server.heads[7], "DELETE /bu/p/source.mp4?uploadId=U "));
}

/* What is sent twice counts once for the whole. */
static void a_part_that_is_sent_again_changes_nothing(void)
{
    const struct stub_step steps[] = {COMPARES_SHA256,  {.answer = BEGUN},
                                      {.answer = PART}, {.answer = REFUSAL("500", "InternalError")},
                                      {.answer = PART}, {.answer = PART},
                                      {.answer = PART}, {.answer = COMPLETED},
                                      {.answer = HEAD}};
    struct bucket *bucket = serve(steps, 10);
    put(bucket, large_put(large_sha256), ERR_NONE);
    end(bucket);
    CHECK_INT(server.served, 10);
}

/* It compares what arrives; what it says of it is compared, too. */
static void a_wrong_etag_is_noticed_all_the_same(void)
{
    const struct stub_step steps[] = {COMPARES_SHA256,       {.answer = BEGUN}, {.answer = PART},
                                      {.answer = PART},      {.answer = PART},  {.answer = PART},
                                      {.answer = COMPLETED}, {.answer = HEAD},  {.answer = WRONG},
                                      {.answer = PART}};
    struct bucket *bucket = serve(steps, 11);
    put(bucket, large_put(large_sha256), ERR_NONE);
    put(bucket, small_put(small_sha256), ERR_NONE);
    end(bucket);
    CHECK_INT(server.served, 11);
}

/* The server knows what it should have said; then nothing it says of parts is believed. */
static void a_wrong_etag_of_a_part_is_noticed_at_the_end(void)
{
    const struct stub_step steps[] = {COMPARES_SHA256,
                                      {.answer = BEGUN},
                                      {.answer = PART},
                                      {.answer = WRONG},
                                      {.answer = PART},
                                      {.answer = PART},
                                      {.answer = REFUSAL("400", "InvalidPart")},
                                      {.answer = PART},
                                      {.answer = WRONG},
                                      {.answer = PART},
                                      {.answer = PART},
                                      {.answer = PART},
                                      {.answer = COMPLETED},
                                      {.answer = HEAD}};
    struct bucket *bucket = serve(steps, 15);
    put(bucket, large_put(large_sha256), ERR_NONE);
    end(bucket);
    CHECK_INT(server.served, 15);
    CHECK(strstr(server.body[7], ">&quot;00000000000000000000000000000000&quot;<"));
    CHECK(!strstr(server.body[13], "00000000000000000000000000000000"));
}

static void parts_are_sent_again_once(void)
{
    const struct stub_step steps[] = {COMPARES_SHA256,
                                      {.answer = BEGUN},
                                      {.answer = PART},
                                      {.answer = PART},
                                      {.answer = PART},
                                      {.answer = PART},
                                      {.answer = REFUSAL("400", "InvalidPart")},
                                      {.answer = PART},
                                      {.answer = PART},
                                      {.answer = PART},
                                      {.answer = PART},
                                      {.answer = REFUSAL("400", "InvalidPart")},
                                      {.answer = GONE}};
    struct bucket *bucket = serve(steps, 14);
    put(bucket, large_put(large_sha256), ERR_STORAGE_MISMATCH);
    end(bucket);
    CHECK_INT(server.served, 14);
    CHECK(strstr(server.heads[13], "DELETE /bu/p/source.mp4?uploadId=U "));
}

/* Of who does not compare, every part's is. */
static void a_wrong_etag_of_a_part_is_noticed_at_once(void)
{
    const struct stub_step steps[] = {
        {.answer = STORED},    {.answer = ANSWER("<DeleteResult></DeleteResult>")},
        {.answer = BEGUN},     {.answer = PART},
        {.answer = WRONG},     {.answer = PART},
        {.answer = PART},      {.answer = PART},
        {.answer = COMPLETED}, {.answer = HEAD}};
    struct bucket *bucket = serve(steps, 10);
    put(bucket, large_put(large_sha256), ERR_NONE);
    end(bucket);
    CHECK_INT(server.served, 10);
}

int main(void)
{
    make_files();
    RUN(a_server_that_compares_sha256_gets_no_md5);
    RUN(a_server_that_does_not_gets_both);
    RUN(a_server_that_does_not_say_gets_both);
    RUN(little_is_sent_without_asking);
    RUN(another_small_file_is_not_sent);
    RUN(another_small_file_is_not_stored);
    RUN(another_large_file_is_never_completed);
    RUN(a_part_that_is_sent_again_changes_nothing);
    RUN(a_wrong_etag_is_noticed_all_the_same);
    RUN(a_wrong_etag_of_a_part_is_noticed_at_the_end);
    RUN(parts_are_sent_again_once);
    RUN(a_wrong_etag_of_a_part_is_noticed_at_once);
    remove_files();
    return 0;
}
