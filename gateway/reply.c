/* Filling in what is answered, errors above all. */
#include "gateway/reply.h"

#include <stdlib.h>

#include "common/doc_json.h"
#include "gateway/request.h"
#include "proto/answer.h"

void reply_header(struct request *request, const char *name, const char *value)
{
    if (request->reply.headers_len == REPLY_HEADERS_MAX)
        abort(); /* the number is ours, no client's */
    request->reply.headers[request->reply.headers_len++] = (struct reply_header){name, value};
}

void reply_document(struct request *request, int status, const struct doc *doc,
                    const void *document)
{
    request->reply.status = status;
    request->reply.content_type = "application/json";
    request->reply.body = (struct text){.arena = &request->arena};
    doc_json_encode(doc, document, &request->reply.body);
}

const char *reply_title(int status)
{
    static const struct {
        int status;
        const char *title;
    } titles[] = {
        {200, "OK"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {302, "Found"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {416, "Range Not Satisfiable"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {507, "Insufficient Storage"},
    };
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "Error";
}

/* A client that was told to wait waits at least a second. */
static void add_retry_after(struct request *request, const struct err *err)
{
    int64_t seconds = err->retry_after_ms > 1000 ? (err->retry_after_ms + 999) / 1000 : 1;
    reply_header(request, "Retry-After", arena_printf(&request->arena, "%lld", (long long)seconds));
}

/* What goes wrong between us and our services names hosts that are nobody else's business. */
const char *reply_detail(const struct err *err)
{
    if (err->code == ERR_STORE_UNAVAILABLE)
        return "the store does not answer";
    if (err->code == ERR_STORAGE_UNAVAILABLE || err->code == ERR_STORAGE_TIMEOUT)
        return "the bucket does not answer";
    if (err->code == ERR_INTERNAL)
        return "something went wrong here; the log knows more";
    return err->detail[0] ? err->detail : NULL;
}

void reply_problem(struct request *request, const struct err *err)
{
    int status = error_status(err->code);
    struct problem_error field = {.pointer = err->pointer, .code = err->code};
    struct problem problem = {
        .type = arena_printf(&request->arena, "/problems/%s", error_name(err->code)),
        .title = reply_title(status),
        .status = status,
        .detail = reply_detail(err),
        .code = err->code,
        .request_id = request->id[0] ? request->id : NULL,
        .instance = request->refused ? NULL : request->path,
        .errors = {.at = &field, .len = err->pointer[0] ? 1 : 0},
    };
    request->error = err->code;
    request->detail = arena_strdup(&request->arena, err->detail);
    reply_document(request, status, &problem_doc, &problem);
    request->reply.content_type = "application/problem+json";
    if (status == 401)
        reply_header(request, "WWW-Authenticate", "Bearer realm=\"mediafleet\"");
    if (status == 429 || status == 503)
        add_retry_after(request, err);
}
