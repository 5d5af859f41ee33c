/* From our reply to evhttp's. */
#include <event2/buffer.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "gateway/server_lane.h"

static void evbuffer_free_at(struct evbuffer **buffer)
{
    if (*buffer)
        evbuffer_free(*buffer);
}

static void add_headers(const struct reply *reply, struct evkeyvalq *headers)
{
    char len[24];
    /* Without a file of ours: an object elsewhere, of which a HEAD tells the size. */
    int64_t body_len = reply->body.len ? (int64_t)reply->body.len : reply->file_len;
    for (size_t i = 0; i < reply->headers_len; i++)
        evhttp_add_header(headers, reply->headers[i].name, reply->headers[i].value);
    if (reply->content_type)
        evhttp_add_header(headers, "Content-Type", reply->content_type);
    if (reply->status != 204 && reply->status != 304) {
        snprintf(len, sizeof len, "%" PRId64, body_len);
        evhttp_add_header(headers, "Content-Length", len);
    }
    if (reply->close)
        evhttp_add_header(headers, "Connection", "close");
}

/* The file is the buffer's afterwards, or closed. */
static void add_body(struct reply *reply, struct evbuffer *body)
{
    if (reply->fd < 0) {
        evbuffer_add(body, reply->body.at, reply->body.len);
    } else if (reply->file_len > 0) {
        evbuffer_add_file(body, reply->fd, reply->file_offset, reply->file_len);
        reply->fd = -1;
    }
}

void lane_write(struct request *request, struct evhttp_request *to)
{
    struct reply *reply = &request->reply;
    CLEANUP(close_at) int file = -1;
    if (to) {
        CLEANUP(evbuffer_free_at) struct evbuffer *body = evbuffer_new();
        struct bufferevent *connection =
            evhttp_connection_get_bufferevent(evhttp_request_get_connection(to));
        add_headers(reply, evhttp_request_get_output_headers(to));
        if (body && strcmp(request->method, "HEAD") != 0 && reply->status != 304)
            add_body(reply, body);
        evhttp_send_reply(to, reply->status, reply_title(reply->status), body);
        edge_flush(connection);
    }
    file = reply->fd;
    reply->fd = -1;
}
