/* Judges the head of an HTTP request strictly, before evhttp sees it: pure functions over bytes. */
#ifndef GATEWAY_EDGE_HEAD_H
#define GATEWAY_EDGE_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

enum {
    EDGE_HEAD_MAX = 16384,  /* request line and header lines */
    EDGE_HEADERS_MAX = 100, /* lines */
    EDGE_BODY_MAX = 262144  /* of JSON requests */
};

/* Why a request is refused; the order is part of the refused path that the edge hands on (edge.h).
 */
enum edge_fault {
    EDGE_OK,
    EDGE_BARE_LF,
    EDGE_CONTROL_CHARACTER,
    EDGE_REQUEST_LINE,
    EDGE_METHOD,
    EDGE_HEAD_TOO_LARGE,
    EDGE_TOO_MANY_HEADERS,
    EDGE_HEADER_NAME,
    EDGE_FOLDED_HEADER,
    EDGE_HOST,
    EDGE_CONTENT_LENGTH,
    EDGE_TRANSFER_ENCODING,
    EDGE_LENGTH_AND_ENCODING,
    EDGE_EXPECT,
    EDGE_BODY_NOT_ALLOWED,
    EDGE_BODY_TOO_LARGE,
    EDGE_CHUNKS,
    EDGE_FAULT_COUNT
};
enum error edge_fault_code(enum edge_fault fault);
const char *edge_fault_text(enum edge_fault fault);

struct edge_head {
    bool chunked;
    int64_t content_length; /* 0 if there is none */
};

/* Length of the head (with its empty line) at the start of what has arrived, 0 while it is not
 * whole; with *fault set to what already is wrong. `seen` bytes were looked at before: kept by the
 * caller, 0 for a new head. */
size_t edge_head_end(const char *bytes, size_t len, size_t *seen, enum edge_fault *fault);

/* A whole head, as edge_head_end measured it. */
enum edge_fault edge_head_check(const char *head, size_t len, struct edge_head *out);

#endif
