/* What libcurl calls while a transfer runs: headers and body in, body out. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/http_transfer.h"

enum { HEADERS_MAX = 256 << 10 };

/* A new status line: what an earlier, informational answer said does not count. */
static void begin_answer(struct transfer *transfer, const char *line)
{
    struct http_request *request = transfer->request;
    int status = 0;
    if (sscanf(line, "HTTP/%*s %d", &status) != 1)
        status = 0;
    request->status = status;
    request->location = request->etag = request->content_type = NULL;
    request->last_modified = request->content_range = NULL;
    request->content_length = -1;
}

static int64_t number(const char *text)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    return errno || end == text || *end || value < 0 ? -1 : value;
}

static void keep_header(struct http_request *request, const char *name, const char *value)
{
    const struct {
        const char *name;
        const char **to;
    } kept[] = {
        {"location", &request->location},           {"etag", &request->etag},
        {"content-type", &request->content_type},   {"last-modified", &request->last_modified},
        {"content-range", &request->content_range},
    };
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (strcasecmp(name, kept[i].name) == 0)
            *kept[i].to = value;
    if (strcasecmp(name, "content-length") == 0)
        request->content_length = number(value);
}

static int too_large(struct http_request *request, int64_t limit)
{
    return err_set(&request->err, request->on_limit ? request->on_limit : ERR_INTERNAL,
                   "the answer is larger than %lld bytes", (long long)limit);
}

static int64_t limit_of(const struct http_request *request)
{
    return request->max_bytes > 0 ? request->max_bytes : HTTP_ANSWER_MAX;
}

static int end_headers(struct transfer *transfer)
{
    struct http_request *request = transfer->request;
    if (request->status < 200)
        return 0;
    transfer->headers_ended = true;
    /* The length of a refusal's page says nothing about what was asked for. */
    bool content = request->status < 300 && strcmp(request->method, "HEAD") != 0;
    if (content && request->content_length > limit_of(request))
        return too_large(request, limit_of(request));
    return 0;
}

static int take_header(struct transfer *transfer, const char *line, size_t len)
{
    struct http_request *request = transfer->request;
    const char *colon = memchr(line, ':', len);
    if (!colon || memchr(line, '\0', len))
        return 0;
    const char *value = colon + 1, *end = line + len;
    while (value < end && isspace((unsigned char)*value))
        value++;
    while (end > value && isspace((unsigned char)end[-1]))
        end--;
    const char *name = arena_strndup(request->text.arena, line, (size_t)(colon - line));
    value = arena_strndup(request->text.arena, value, (size_t)(end - value));
    keep_header(request, name, value);
    if (!request->header || request->status < 200)
        return 0;
    return request->header(request->arg, request->status, name, value, &request->err);
}

size_t http_on_header(char *line, size_t one, size_t len, void *arg)
{
    struct transfer *transfer = arg;
    struct http_request *request = transfer->request;
    (void)one;
    transfer->header_bytes += (int64_t)len;
    if (transfer->header_bytes > HEADERS_MAX) {
        err_set(&request->err, ERR_SOURCE_REFUSED, "the answer's headers exceed 256 KiB");
        return 0;
    }
    if (transfer->headers_ended) /* trailers say nothing that anybody here wants to know */
        return len;
    int failed = 0;
    if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        char copy[64];
        snprintf(copy, sizeof copy, "%.*s", (int)(len < 60 ? len : 60), line);
        begin_answer(transfer, copy);
    } else if (line[0] == '\r' || line[0] == '\n') {
        failed = end_headers(transfer);
    } else {
        failed = take_header(transfer, line, len);
    }
    return failed ? 0 : len;
}

size_t http_on_write(char *bytes, size_t one, size_t len, void *arg)
{
    struct transfer *transfer = arg;
    struct http_request *request = transfer->request;
    (void)one;
    transfer->received += (int64_t)len;
    if (transfer->received > limit_of(request)) {
        too_large(request, limit_of(request));
        return 0;
    }
    if (!request->write) {
        text_add(&request->text, bytes, len);
        return len;
    }
    if (request->write(request->arg, request->status, bytes, len, &request->err))
        return len == 0 ? 1 : 0;
    return len;
}

static ssize_t read_body(struct transfer *transfer, char *bytes, size_t len)
{
    struct http_request *request = transfer->request;
    if (!request->body)
        return pread(request->body_fd, bytes, len, request->body_offset + transfer->sent);
    memcpy(bytes, request->body + transfer->sent, len);
    return (ssize_t)len;
}

size_t http_on_read(char *bytes, size_t one, size_t room, void *arg)
{
    struct transfer *transfer = arg;
    struct http_request *request = transfer->request;
    int64_t left = request->body_len - transfer->sent;
    size_t len = (size_t)left < room * one ? (size_t)left : room * one;
    if (len == 0)
        return 0;
    ssize_t got = read_body(transfer, bytes, len);
    if (got <= 0) {
        err_errno(&request->err, got < 0 ? errno : EIO, "read what is to be sent");
        return CURL_READFUNC_ABORT;
    }
    transfer->sent += got;
    if (request->sent)
        request->sent(request->arg, got);
    return (size_t)got;
}

int http_on_seek(void *arg, curl_off_t offset, int origin)
{
    struct transfer *transfer = arg;
    if (origin != SEEK_SET || offset < 0 || offset > transfer->request->body_len)
        return CURL_SEEKFUNC_FAIL;
    transfer->sent = offset;
    return CURL_SEEKFUNC_OK;
}
