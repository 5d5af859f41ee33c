/* From evhttp's request to ours: everything is copied, for the connection may go before the handler
 * is done. */
#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gateway/server_lane.h"

static const char *method_name(enum evhttp_cmd_type type)
{
    switch (type) {
    case EVHTTP_REQ_GET:
        return "GET";
    case EVHTTP_REQ_HEAD:
        return "HEAD";
    case EVHTTP_REQ_POST:
        return "POST";
    case EVHTTP_REQ_PUT:
        return "PUT";
    case EVHTTP_REQ_DELETE:
        return "DELETE";
    case EVHTTP_REQ_OPTIONS:
        return "OPTIONS";
    case EVHTTP_REQ_PATCH:
        return "PATCH";
    default:
        return "TRACE";
    }
}

#define HEADER(wire, member)                                                                       \
    {                                                                                              \
        wire, offsetof(struct request_headers, member)                                             \
    }
static const struct {
    const char *name;
    size_t offset;
} wanted[] = {
    HEADER("Authorization", authorization),
    HEADER("Content-Type", content_type),
    HEADER("Content-Encoding", content_encoding),
    HEADER("Idempotency-Key", idempotency_key),
    HEADER("If-None-Match", if_none_match),
    HEADER("If-Range", if_range),
    HEADER("Range", range),
    HEADER("Origin", origin),
    HEADER("X-Request-Id", request_id),
    HEADER("Access-Control-Request-Method", preflight_method),
};

/* Of a header that comes twice the first one counts. */
static void read_headers(const struct evkeyvalq *headers, struct request *request)
{
    for (const struct evkeyval *at = headers->tqh_first; at; at = at->next.tqe_next) {
        for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
            const char **member = (const char **)((char *)&request->headers + wanted[i].offset);
            if (*member == NULL && strcasecmp(at->key, wanted[i].name) == 0)
                *member = arena_strdup(&request->arena, at->value);
        }
    }
}

static void read_body(struct evbuffer *body, struct request *request)
{
    size_t len = evbuffer_get_length(body);
    if (len > EDGE_BODY_MAX) {
        request->refused = true;
        request->fault = (enum edge_fault)(len - EDGE_BODY_MAX);
    } else if (len > 0) {
        char *copy = arena_alloc(&request->arena, len + 1);
        evbuffer_copyout(body, copy, len);
        request->body = copy;
        request->body_len = len;
    } else {
        request->body = "";
    }
}

void lane_read(struct evhttp_request *from, struct request *request)
{
    char *peer = NULL;
    ev_uint16_t port;
    const char *uri = evhttp_request_get_uri(from);
    char *path = arena_strdup(&request->arena, uri), *query = strchr(path, '?');
    if (query)
        *query++ = '\0';
    evhttp_connection_get_peer(evhttp_request_get_connection(from), &peer, &port);
    request->method = method_name(evhttp_request_get_command(from));
    request->path = path;
    request->query = query;
    request->peer = arena_strdup(&request->arena, peer);
    read_headers(evhttp_request_get_input_headers(from), request);
    read_body(evhttp_request_get_input_buffer(from), request);
    if (strncmp(path, EDGE_REFUSED_PATH, strlen(EDGE_REFUSED_PATH)) == 0) {
        request->refused = true;
        request->fault = (enum edge_fault)strtoul(path + strlen(EDGE_REFUSED_PATH), NULL, 10);
    }
}
