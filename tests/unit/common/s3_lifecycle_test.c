/* The bucket's rules with scripted answers: foreign ones stay as they are, ours are added once. */
#include "s3_stub.h"

#define RULES(rules)                                                                               \
    ANSWER("<?xml version=\"1.0\"?><LifecycleConfiguration xmlns=\"x\">" rules                     \
           "</LifecycleConfiguration>")
#define FOREIGN                                                                                    \
    "<Rule><ID>logs &amp; more</ID><Filter><And><Prefix>logs/</Prefix><Tag><Key>k</Key>"           \
    "<Value>v</Value></Tag></And></Filter><Status>Disabled</Status><Transition><Days>30</Days>"    \
    "<StorageClass>STANDARD_IA</StorageClass></Transition></Rule>"
#define OURS                                                                                       \
    "<Rule><ID>mediafleet-uploads</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status>"  \
    "<AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation>"                 \
    "</AbortIncompleteMultipartUpload></Rule>"                                                     \
    "<Rule><ID>mediafleet-tmp</ID><Filter><Prefix>tmp/</Prefix></Filter><Status>Enabled</Status>"  \
    "<Expiration><Days>2</Days></Expiration></Rule>"
#define OLD                                                                                        \
    "<Rule><ID>mediafleet-tmp</ID><Prefix>tmp/</Prefix><Status>Enabled</Status>"                   \
    "<Expiration><Days>9</Days></Expiration></Rule>"
#define NONE REFUSAL("404", "NoSuchLifecycleConfiguration")
#define DONE "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

static struct lifecycle lifecycle;

static int lifecycle_of(const struct stub_step *steps, size_t len, bool apply)
{
    struct bucket *bucket = serve(steps, len);
    int result = bucket_lifecycle(bucket, apply, &arena, &lifecycle, &err);
    end(bucket);
    CHECK_INT(server.served, len);
    return result;
}

static void what_is_set_is_shown(void)
{
    const struct stub_step none = {.answer = NONE}, foreign = {.answer = RULES(FOREIGN)},
                           all = {.answer = RULES(OURS FOREIGN)};
    CHECK_INT(lifecycle_of(&none, 1, false), 0);
    CHECK_INT(lifecycle.rules.len, 0);
    CHECK(!lifecycle.set);
    CHECK_INT(lifecycle_of(&foreign, 1, false), 0);
    CHECK_INT(lifecycle.rules.len, 1);
    CHECK_STR(lifecycle.rules.at[0].id, "logs & more");
    CHECK_STR(lifecycle.rules.at[0].prefix, "logs/");
    CHECK(!lifecycle.rules.at[0].ours && !lifecycle.rules.at[0].enabled && !lifecycle.set);
    CHECK_INT(lifecycle_of(&all, 1, false), 0);
    CHECK_INT(lifecycle.rules.len, 3);
    CHECK(lifecycle.rules.at[0].ours && lifecycle.rules.at[1].ours && lifecycle.set);
    CHECK_INT(lifecycle.rules.at[0].abort_days, 1);
    CHECK_STR(lifecycle.rules.at[0].prefix, "");
    CHECK_INT(lifecycle.rules.at[1].expire_days, 2);
    CHECK(strstr(server.heads[0], "GET /bu?lifecycle= "));
}

static void ours_are_added_to_the_others(void)
{
    const struct stub_step steps[] = {
        {.answer = RULES(FOREIGN OLD)}, {.answer = DONE}, {.answer = RULES(FOREIGN OURS)}};
    CHECK_INT(lifecycle_of(steps, 3, true), 0);
    CHECK(lifecycle.set);
    CHECK(strstr(server.heads[1], "PUT /bu?lifecycle= "));
    CHECK(strcasestr(server.heads[1], "\r\ncontent-md5: "));
    CHECK_STR(
        server.body[1],
        "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" FOREIGN OURS
        "</LifecycleConfiguration>");
}

static void a_bucket_without_rules_gets_ours(void)
{
    const struct stub_step steps[] = {{.answer = NONE}, {.answer = DONE}, {.answer = RULES(OURS)}};
    CHECK_INT(lifecycle_of(steps, 3, true), 0);
    CHECK(lifecycle.set);
    CHECK(strstr(server.body[1], OURS));
}

static void what_is_set_is_not_set_again(void)
{
    const struct stub_step step = {.answer = RULES(FOREIGN OURS)};
    CHECK_INT(lifecycle_of(&step, 1, true), 0);
    CHECK(lifecycle.set);
}

/* A server that took the rules but does not show them. */
static void what_was_not_kept_is_said(void)
{
    const struct stub_step steps[] = {{.answer = NONE}, {.answer = DONE}, {.answer = NONE}};
    CHECK_INT(lifecycle_of(steps, 3, true), 0);
    CHECK(!lifecycle.set);
}

static void what_cannot_be_kept_is_not_touched(void)
{
    const struct stub_step comment = {.answer = RULES("<!-- <Rule> -->" FOREIGN)},
                           named = {.answer = RULES("<Rule x=\"y\"><ID>a</ID></Rule>")};
    CHECK_INT(lifecycle_of(&comment, 1, true), -1);
    CHECK_INT(err.code, ERR_STORAGE_UNSUPPORTED);
    CHECK_INT(lifecycle_of(&named, 1, true), -1);
    CHECK_INT(err.code, ERR_STORAGE_UNSUPPORTED);
}

static void who_cannot_says_so(void)
{
    const struct stub_step cannot = {.answer = REFUSAL("501", "NotImplemented")},
                           mute = {.answer = "HTTP/1.1 501 X\r\nContent-Length: 0\r\n\r\n"},
                           denied = {.answer = REFUSAL("403", "AccessDenied")};
    CHECK_INT(lifecycle_of(&cannot, 1, false), -1);
    CHECK_INT(err.code, ERR_STORAGE_UNSUPPORTED);
    CHECK_INT(lifecycle_of(&mute, 1, true), -1);
    CHECK_INT(err.code, ERR_STORAGE_UNSUPPORTED);
    CHECK_INT(lifecycle_of(&denied, 1, true), -1);
    CHECK_INT(err.code, ERR_STORAGE_AUTH);
}

int main(void)
{
    RUN(what_is_set_is_shown);
    RUN(ours_are_added_to_the_others);
    RUN(a_bucket_without_rules_gets_ours);
    RUN(what_is_set_is_not_set_again);
    RUN(what_was_not_kept_is_said);
    RUN(what_cannot_be_kept_is_not_touched);
    RUN(who_cannot_says_so);
    arena_release(&arena);
    return 0;
}
