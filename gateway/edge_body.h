/* Follows a request's body by its framing, so that the edge knows where the next head begins: pure.
 */
#ifndef GATEWAY_EDGE_BODY_H
#define GATEWAY_EDGE_BODY_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/edge_head.h"

enum edge_body_state {
    EDGE_BODY_DONE,
    EDGE_BODY_PLAIN,    /* left: bytes of Content-Length */
    EDGE_BODY_SIZE,     /* digits of a chunk's size */
    EDGE_BODY_SIZE_LF,  /* its LF */
    EDGE_BODY_CHUNK,    /* left: bytes of the chunk */
    EDGE_BODY_CHUNK_CR, /* after it */
    EDGE_BODY_CHUNK_LF,
    EDGE_BODY_LAST_CR, /* after the chunk of size 0: no trailers are taken */
    EDGE_BODY_LAST_LF,
    EDGE_BODY_BAD,     /* not the framing that was announced */
    EDGE_BODY_OVERLONG /* chunks add up to more than EDGE_BODY_MAX */
};

struct edge_body {
    enum edge_body_state state;
    int64_t left, total; /* total: bytes of the chunks that were let in */
    int digits;
};

void edge_body_start(struct edge_body *body, const struct edge_head *head);
bool edge_body_ended(const struct edge_body *body); /* whole, or at fault */
enum edge_fault edge_body_fault(const struct edge_body *body);

/* Bytes of content that come next; 0: the next byte is framing. */
size_t edge_body_content(const struct edge_body *body);
/* `len` of them were taken. */
void edge_body_take(struct edge_body *body, size_t len);
/* One byte of framing. */
void edge_body_step(struct edge_body *body, char c);

#endif
