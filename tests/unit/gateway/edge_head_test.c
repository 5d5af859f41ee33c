/* Request heads, good and bad, and the place where a head ends. */
#include "gateway/edge_head.h"

#include "check.h"

static const struct {
    const char *head;
    enum edge_fault fault;
} cases[] = {
    {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", EDGE_OK},
    {"GET /a?b=c%20d HTTP/1.1\r\nhOsT: a\r\nX-A:\r\nX-B: \t b \t\r\n\r\n", EDGE_OK},
    {"GET / HTTP/1.0\r\n\r\n", EDGE_OK},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n", EDGE_OK},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n", EDGE_OK},
    {"HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", EDGE_OK},
    {"GET / HTTP/1.1\r\nX-Utf8: \xc3\xa4\r\nHost: a\r\n\r\n", EDGE_OK},
    {"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", EDGE_REQUEST_LINE},
    {"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", EDGE_REQUEST_LINE},
    {"GET /\r\nHost: a\r\n\r\n", EDGE_REQUEST_LINE},
    {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", EDGE_REQUEST_LINE},
    {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", EDGE_REQUEST_LINE},
    {"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", EDGE_REQUEST_LINE},
    {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", EDGE_REQUEST_LINE},
    {"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", EDGE_REQUEST_LINE},
    {"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", EDGE_REQUEST_LINE},
    {"GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", EDGE_REQUEST_LINE},
    {"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", EDGE_REQUEST_LINE},
    {"GET //a:b/ HTTP/1.1\r\nHost: a\r\n\r\n", EDGE_REQUEST_LINE},
    {"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", EDGE_REQUEST_LINE},
    {"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", EDGE_METHOD},
    {"get / HTTP/1.1\r\nHost: a\r\n\r\n", EDGE_METHOD},
    {" / HTTP/1.1\r\nHost: a\r\n\r\n", EDGE_REQUEST_LINE},
    {"GET / HTTP/1.1\r\n\r\n", EDGE_HOST},
    {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", EDGE_HOST},
    {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", EDGE_HEADER_NAME},
    {"GET / HTTP/1.1\r\nHost: a\r\nNoColon\r\n\r\n", EDGE_HEADER_NAME},
    {"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", EDGE_HEADER_NAME},
    {"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n folded\r\n\r\n", EDGE_FOLDED_HEADER},
    {"GET / HTTP/1.1\r\nHost: a\r\nX: b\x01\r\n\r\n", EDGE_CONTROL_CHARACTER},
    {"GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n", EDGE_CONTROL_CHARACTER},
    {"GET / HTTP/1.1\r\nHost: a\n\r\n", EDGE_BARE_LF},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\n", EDGE_CONTENT_LENGTH},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\n", EDGE_CONTENT_LENGTH},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", EDGE_CONTENT_LENGTH},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n", EDGE_CONTENT_LENGTH},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", EDGE_CONTENT_LENGTH},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999999999999\r\n\r\n",
     EDGE_CONTENT_LENGTH},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
     EDGE_CONTENT_LENGTH},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\n", EDGE_HEADER_NAME},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
     EDGE_TRANSFER_ENCODING},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
     "chunked\r\n\r\n",
     EDGE_TRANSFER_ENCODING},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\tchunked\r\n\r\n", EDGE_TRANSFER_ENCODING},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \tchunked\r\n\r\n", EDGE_TRANSFER_ENCODING},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\t3\r\n\r\n", EDGE_CONTENT_LENGTH},
    {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", EDGE_TRANSFER_ENCODING},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
     EDGE_LENGTH_AND_ENCODING},
    {"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n\r\n", EDGE_OK},
    {"POST / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", EDGE_EXPECT},
    {"HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", EDGE_BODY_NOT_ALLOWED},
    {"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", EDGE_BODY_NOT_ALLOWED},
    {"TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n", EDGE_BODY_NOT_ALLOWED},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 262144\r\n\r\n", EDGE_OK},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 262145\r\n\r\n", EDGE_BODY_TOO_LARGE},
};

static void heads(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct edge_head head = {0};
        enum edge_fault fault = edge_head_check(cases[i].head, strlen(cases[i].head), &head);
        if (fault != cases[i].fault)
            fprintf(stderr, "case %zu: %s\n", i, cases[i].head);
        CHECK_INT(fault, cases[i].fault);
    }
}

static void framing_is_told(void)
{
    struct edge_head head = {0};
    const char *length = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0012\r\n\r\n";
    const char *chunks = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    CHECK_INT(edge_head_check(length, strlen(length), &head), EDGE_OK);
    CHECK_INT(head.content_length, 12);
    CHECK(!head.chunked);
    CHECK_INT(edge_head_check(chunks, strlen(chunks), &head), EDGE_OK);
    CHECK(head.chunked);
}

static void too_many_headers(void)
{
    static char head[8192] = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (int i = 0; i < 99; i++)
        strcat(head, "X: y\r\n");
    struct edge_head out;
    size_t len = strlen(head);
    strcpy(head + len, "\r\n");
    CHECK_INT(edge_head_check(head, strlen(head), &out), EDGE_OK);
    strcpy(head + len, "X: y\r\n\r\n");
    CHECK_INT(edge_head_check(head, strlen(head), &out), EDGE_TOO_MANY_HEADERS);
}

static void the_end_is_found_whatever_the_pieces(void)
{
    const char *bytes = "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /next";
    const size_t end = strlen("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    for (size_t first = 0; first < end; first++) {
        size_t seen = 0;
        enum edge_fault fault;
        CHECK_INT(edge_head_end(bytes, first, &seen, &fault), 0);
        CHECK_INT(fault, EDGE_OK);
        CHECK_INT(edge_head_end(bytes, strlen(bytes), &seen, &fault), end);
    }
}

static void ends_that_are_none(void)
{
    static char endless[EDGE_HEAD_MAX + 1];
    size_t seen = 0;
    enum edge_fault fault;
    CHECK_INT(edge_head_end("GET / HTTP/1.1\nHost: a\n\n", 24, &seen, &fault), 0);
    CHECK_INT(fault, EDGE_BARE_LF);
    seen = 0;
    CHECK_INT(edge_head_end("\r\nGET / HTTP/1.1", 16, &seen, &fault), 0);
    CHECK_INT(fault, EDGE_REQUEST_LINE);
    seen = 0;
    memset(endless, 'a', sizeof endless);
    CHECK_INT(edge_head_end(endless, EDGE_HEAD_MAX, &seen, &fault), 0);
    CHECK_INT(fault, EDGE_OK);
    CHECK_INT(edge_head_end(endless, sizeof endless, &seen, &fault), 0);
    CHECK_INT(fault, EDGE_HEAD_TOO_LARGE);
}

static void faults_have_words(void)
{
    for (unsigned i = 1; i < EDGE_FAULT_COUNT; i++)
        CHECK(edge_fault_text((enum edge_fault)i) != NULL);
    CHECK_INT(edge_fault_code(EDGE_BODY_TOO_LARGE), ERR_BODY_TOO_LARGE);
    CHECK_INT(edge_fault_code((enum edge_fault)77), ERR_BAD_FRAMING);
}

int main(void)
{
    RUN(heads);
    RUN(framing_is_told);
    RUN(too_many_headers);
    RUN(the_end_is_found_whatever_the_pieces);
    RUN(ends_that_are_none);
    RUN(faults_have_words);
    return 0;
}
