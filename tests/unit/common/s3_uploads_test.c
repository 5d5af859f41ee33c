/* Unfinished uploads with scripted answers: pages, counting, aborting. */
#include "s3_stub.h"

#define ONE(key, id)                                                                               \
    "<Upload><Key>" key "</Key><UploadId>" id                                                      \
    "</UploadId><Initiated>2026-02-03T22:00:00.123Z</Initiated></Upload>"
#define LISTED(uploads)                                                                            \
    ANSWER("<ListMultipartUploadsResult>" uploads "</ListMultipartUploadsResult>")
#define MORE "<IsTruncated>true</IsTruncated>"

static void open_uploads_are_aborted(void)
{
    const struct stub_step steps[] = {
        {.answer = LISTED(ONE("p/x", "U1"))},
        {.answer = "HTTP/1.1 204 X\r\nConnection: close\r\n\r\n"},
        {.answer = LISTED("")},
    };
    struct bucket *bucket = serve(steps, 3);
    size_t aborted = 0;
    CHECK_INT(bucket_abort_uploads(bucket, "p/", &aborted, &err), 0);
    end(bucket);
    CHECK_INT(aborted, 1);
    CHECK(strstr(server.heads[0], "GET /bu?max-uploads=1000&prefix=p%2F&uploads= "));
    CHECK(strstr(server.heads[1], "DELETE /bu/p/x?uploadId=U1 "));
}

static void uploads_of_others_are_left_alone(void)
{
    const struct stub_step step = {.answer = LISTED(ONE("q/x", "U1"))};
    struct bucket *bucket = serve(&step, 1);
    CHECK_INT(bucket_abort_uploads(bucket, "p/", NULL, &err), -1);
    end(bucket);
    CHECK_INT(server.served, 1);
}

static void an_upload_that_is_gone_counts_as_aborted(void)
{
    const struct stub_step steps[] = {{.answer = REFUSAL("404", "NoSuchUpload")},
                                      {.answer = REFUSAL("403", "AccessDenied")}};
    const struct upload upload = {.key = "p/x", .id = "U"};
    struct bucket *bucket = serve(steps, 2);
    bool aborted = false;
    CHECK_INT(bucket_abort_upload(bucket, &upload, &aborted, &err), 0);
    CHECK(aborted);
    CHECK_INT(bucket_abort_upload(bucket, &upload, NULL, &err), -1);
    CHECK_INT(err.code, ERR_STORAGE_AUTH);
    end(bucket);
}

/* Of the last key's uploads some may be on the next page: that gives all of them. */
static void pages_are_of_whole_keys(void)
{
    const struct stub_step steps[] = {
        {.answer = LISTED(ONE("a", "1") ONE("a", "2") ONE("b", "1") MORE)},
        {.answer = LISTED(ONE("b", "1") ONE("b", "2") ONE("c", "1"))},
    };
    struct bucket *bucket = serve(steps, 2);
    struct uploads uploads;
    CHECK_INT(bucket_list_uploads(bucket, "", NULL, 3, &arena, &uploads, &err), 0);
    CHECK_INT(uploads.len, 2);
    CHECK_STR(uploads.at[1].id, "2");
    CHECK_INT(uploads.at[1].begun_at, INT64_C(1770156000123));
    CHECK_INT(bucket_list_uploads(bucket, "", uploads.next, 3, &arena, &uploads, &err), 0);
    CHECK_INT(uploads.len, 3);
    CHECK(!uploads.next);
    end(bucket);
    CHECK(strstr(server.heads[0], "GET /bu?max-uploads=3&prefix=&uploads= "));
    CHECK(strstr(server.heads[1], "GET /bu?key-marker=a&max-uploads=3&prefix=&uploads= "));
}

static void a_page_of_one_key_goes_on_by_its_id(void)
{
    const struct stub_step steps[] = {
        {.answer = LISTED(ONE("a", "1") ONE("a", "2") MORE)},
        {.answer = LISTED(ONE("a", "3"))},
    };
    struct bucket *bucket = serve(steps, 2);
    int64_t count = 0;
    CHECK_INT(bucket_count_uploads(bucket, &count, &err), 0);
    end(bucket);
    CHECK_INT(count, 3);
    CHECK(strstr(server.heads[1], "key-marker=a&"));
    CHECK(strstr(server.heads[1], "&upload-id-marker=2&"));
}

static void a_page_again_is_a_failure(void)
{
    const struct stub_step steps[] = {
        {.answer = LISTED(ONE("a", "1") ONE("b", "2") MORE)},
        {.answer = LISTED(ONE("a", "1") ONE("b", "2") MORE)},
    };
    struct bucket *bucket = serve(steps, 2);
    int64_t count = 0;
    CHECK_INT(bucket_count_uploads(bucket, &count, &err), -1);
    CHECK_INT(err.code, ERR_STORAGE_UNAVAILABLE);
    end(bucket);
}

static void nothing_but_more_is_a_failure(void)
{
    const struct stub_step step = {.answer = LISTED(MORE)};
    struct bucket *bucket = serve(&step, 1);
    int64_t count = 0;
    CHECK_INT(bucket_count_uploads(bucket, &count, &err), -1);
    end(bucket);
}

int main(void)
{
    RUN(open_uploads_are_aborted);
    RUN(uploads_of_others_are_left_alone);
    RUN(an_upload_that_is_gone_counts_as_aborted);
    RUN(pages_are_of_whole_keys);
    RUN(a_page_of_one_key_goes_on_by_its_id);
    RUN(a_page_again_is_a_failure);
    RUN(nothing_but_more_is_a_failure);
    arena_release(&arena);
    return 0;
}
