/* Bodies by length and in chunks, in pieces of every size. */
#include "gateway/edge_body.h"

#include "check.h"

/* Feeds `bytes` in pieces of at most `piece`; puts the content into `out` and returns how many
 * bytes were used. */
static size_t feed(struct edge_body *body, const char *bytes, size_t piece, char *out)
{
    size_t used = 0, len = strlen(bytes), got = 0;
    while (used < len && !edge_body_ended(body)) {
        size_t run = edge_body_content(body);
        if (run == 0) {
            edge_body_step(body, bytes[used++]);
            continue;
        }
        if (run > piece)
            run = piece;
        if (run > len - used)
            run = len - used;
        memcpy(out + got, bytes + used, run);
        got += run;
        edge_body_take(body, run);
        used += run;
    }
    out[got] = '\0';
    return used;
}

static struct edge_body chunked(void)
{
    struct edge_body body;
    edge_body_start(&body, &(struct edge_head){.chunked = true});
    return body;
}

static void no_body(void)
{
    struct edge_body body;
    edge_body_start(&body, &(struct edge_head){0});
    CHECK(edge_body_ended(&body));
}

static void by_length(void)
{
    for (size_t piece = 1; piece < 6; piece++) {
        struct edge_body body;
        char out[32];
        edge_body_start(&body, &(struct edge_head){.content_length = 5});
        CHECK_INT(feed(&body, "helloGET /", piece, out), 5);
        CHECK(edge_body_ended(&body));
        CHECK_STR(out, "hello");
    }
}

static void in_chunks(void)
{
    const char *bytes = "3\r\nabc\r\n00A\r\n0123456789\r\n0\r\n\r\n";
    for (size_t piece = 1; piece < 12; piece++) {
        struct edge_body body = chunked();
        char out[64], more[64];
        snprintf(more, sizeof more, "%sGET /", bytes);
        CHECK_INT(feed(&body, more, piece, out), strlen(bytes));
        CHECK_INT(edge_body_fault(&body), EDGE_OK);
        CHECK(edge_body_ended(&body));
        CHECK_STR(out, "abc0123456789");
    }
}

static void bad_chunks(void)
{
    static const char *const bad[] = {
        "0x5\r\n", "+5\r\n",        "-1\r\n",  "\r\n",     "5 \r\n",          "5;a=b\r\n",
        "5\n",     "123456789\r\n", "1\r\nab", "1\r\na\n", "0\r\nTrailer: x", "g\r\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct edge_body body = chunked();
        char out[64];
        feed(&body, bad[i], 64, out);
        CHECK_INT(edge_body_fault(&body), EDGE_CHUNKS);
    }
}

static void overlong_chunks(void)
{
    struct edge_body body = chunked();
    char out[64];
    feed(&body, "40001\r\n", 64, out);
    CHECK_INT(edge_body_fault(&body), EDGE_BODY_TOO_LARGE);
    body = chunked();
    feed(&body, "40000\r\n", 64, out);
    CHECK_INT(edge_body_content(&body), EDGE_BODY_MAX);
    edge_body_take(&body, EDGE_BODY_MAX);
    feed(&body, "\r\n1\r\n", 64, out);
    CHECK_INT(edge_body_fault(&body), EDGE_BODY_TOO_LARGE);
}

int main(void)
{
    RUN(no_body);
    RUN(by_length);
    RUN(in_chunks);
    RUN(bad_chunks);
    RUN(overlong_chunks);
    return 0;
}
