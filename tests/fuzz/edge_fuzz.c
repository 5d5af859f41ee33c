/* Fuzzes the framing of HTTP: pieces of every size are followed alike, and evhttp reads a head that
 * is let through as the edge did. */
#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/edge_body.h"
#include "tests/fuzz/fuzz.h"

/* Not in libevent's headers, but in its library, for tests. 1: read. */
int evhttp_parse_firstline_(struct evhttp_request *request, struct evbuffer *buffer);
int evhttp_parse_headers_(struct evhttp_request *request, struct evbuffer *buffer);

static size_t head_by_bytes(const char *bytes, size_t len, enum edge_fault *fault)
{
    size_t seen = 0, end = 0;
    *fault = EDGE_OK;
    for (size_t n = 1; n <= len && end == 0 && *fault == EDGE_OK; n++)
        end = edge_head_end(bytes, n, &seen, fault);
    return end;
}

static void compare_headers(struct evhttp_request *request, const struct edge_head *head)
{
    const char *length = evhttp_find_header(request->input_headers, "Content-Length");
    const char *encoding = evhttp_find_header(request->input_headers, "Transfer-Encoding");
    if ((length ? strtoll(length, NULL, 10) : 0) != head->content_length)
        abort();
    if ((encoding && evutil_ascii_strcasecmp(encoding, "chunked") == 0) != head->chunked)
        abort();
}

/* It may refuse what the edge takes, but not find another length, or another end. */
static void ask_evhttp(const char *bytes, size_t len, const struct edge_head *head)
{
    struct evhttp_request *request = evhttp_request_new(NULL, NULL);
    struct evbuffer *buffer = evbuffer_new();
    if (!request || !buffer || evbuffer_add(buffer, bytes, len))
        abort();
    request->kind = EVHTTP_REQUEST;
    if (evhttp_parse_firstline_(request, buffer) == 1) {
        int read = evhttp_parse_headers_(request, buffer);
        if (read == 0 || (read == 1 && evbuffer_get_length(buffer) > 0))
            abort();
        if (read == 1)
            compare_headers(request, head);
    }
    evbuffer_free(buffer);
    evhttp_request_free(request);
}

/* Length of a head that is let through, else 0. */
static size_t take_head(const char *bytes, size_t len, struct edge_head *head)
{
    size_t most = len > EDGE_HEAD_MAX + 1 ? EDGE_HEAD_MAX + 1 : len, seen = 0;
    enum edge_fault fault, again;
    size_t end = edge_head_end(bytes, most, &seen, &fault);
    if (head_by_bytes(bytes, most, &again) != end || again != fault || (end && fault))
        abort();
    if (end == 0)
        return 0;
    fault = edge_head_check(bytes, end, head);
    if (edge_fault_text(fault)[0] == '\0' || edge_fault_code(fault) == ERR_NONE)
        abort();
    if (fault != EDGE_OK)
        return 0;
    if (head->content_length < 0 || head->content_length > EDGE_BODY_MAX ||
        (head->chunked && head->content_length > 0))
        abort();
    ask_evhttp(bytes, end, head);
    return end;
}

struct course {
    struct edge_body body;
    size_t used;
    int64_t content;
};

static struct course follow(const char *bytes, size_t len, const struct edge_head *head,
                            size_t piece)
{
    struct course course = {0};
    edge_body_start(&course.body, head);
    while (course.used < len && !edge_body_ended(&course.body)) {
        size_t run = edge_body_content(&course.body);
        if (run == 0) {
            edge_body_step(&course.body, bytes[course.used++]);
            continue;
        }
        run = run > piece ? piece : run;
        run = run > len - course.used ? len - course.used : run;
        edge_body_take(&course.body, run);
        course.used += run;
        course.content += (int64_t)run;
    }
    return course;
}

/* Length of a whole body; -1: it is not whole, or at fault. */
static int64_t take_body(const char *bytes, size_t len, const struct edge_head *head)
{
    struct course whole = follow(bytes, len, head, len), single = follow(bytes, len, head, 1);
    if (whole.used != single.used || whole.content != single.content ||
        whole.body.state != single.body.state || whole.body.left != single.body.left)
        abort();
    if (whole.content > EDGE_BODY_MAX || whole.body.total > EDGE_BODY_MAX)
        abort();
    if (!edge_body_ended(&whole.body) || edge_body_fault(&whole.body) != EDGE_OK)
        return -1;
    if (whole.content != (head->chunked ? whole.body.total : head->content_length))
        abort();
    return (int64_t)whole.used;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const char *at = (const char *)bytes, *end = at + len;
    while (at < end) {
        struct edge_head head;
        size_t head_len = take_head(at, (size_t)(end - at), &head);
        int64_t body_len =
            head_len ? take_body(at + head_len, (size_t)(end - at) - head_len, &head) : -1;
        if (body_len < 0)
            break;
        at += head_len + (size_t)body_len;
    }
    return 0;
}
