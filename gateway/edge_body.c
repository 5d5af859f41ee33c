/* One step for each byte of chunked framing, whole runs of content at once. */
#include "gateway/edge_body.h"

void edge_body_start(struct edge_body *body, const struct edge_head *head)
{
    *body = (struct edge_body){.left = head->content_length};
    if (head->chunked)
        body->state = EDGE_BODY_SIZE;
    else
        body->state = head->content_length > 0 ? EDGE_BODY_PLAIN : EDGE_BODY_DONE;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* No sign, no 0x, no extension: digits and then CR. */
static enum edge_body_state take_size(struct edge_body *body, char c)
{
    int digit = hex_digit(c);
    if (digit < 0)
        return c == '\r' && body->digits > 0 ? EDGE_BODY_SIZE_LF : EDGE_BODY_BAD;
    if (++body->digits > 8)
        return EDGE_BODY_BAD;
    body->left = body->left * 16 + digit;
    return EDGE_BODY_SIZE;
}

static enum edge_body_state begin_chunk(struct edge_body *body, char c)
{
    if (c != '\n')
        return EDGE_BODY_BAD;
    body->digits = 0;
    if (body->total + body->left > EDGE_BODY_MAX)
        return EDGE_BODY_OVERLONG;
    body->total += body->left;
    return body->left > 0 ? EDGE_BODY_CHUNK : EDGE_BODY_LAST_CR;
}

static enum edge_body_state expect(char is, char should, enum edge_body_state next)
{
    return is == should ? next : EDGE_BODY_BAD;
}

static enum edge_body_state after(struct edge_body *body, char c)
{
    switch (body->state) {
    case EDGE_BODY_SIZE:
        return take_size(body, c);
    case EDGE_BODY_SIZE_LF:
        return begin_chunk(body, c);
    case EDGE_BODY_CHUNK_CR:
        return expect(c, '\r', EDGE_BODY_CHUNK_LF);
    case EDGE_BODY_CHUNK_LF:
        return expect(c, '\n', EDGE_BODY_SIZE);
    case EDGE_BODY_LAST_CR:
        return expect(c, '\r', EDGE_BODY_LAST_LF);
    case EDGE_BODY_LAST_LF:
        return expect(c, '\n', EDGE_BODY_DONE);
    default:
        return body->state;
    }
}

bool edge_body_ended(const struct edge_body *body)
{
    return body->state == EDGE_BODY_DONE || edge_body_fault(body) != EDGE_OK;
}

enum edge_fault edge_body_fault(const struct edge_body *body)
{
    if (body->state == EDGE_BODY_OVERLONG)
        return EDGE_BODY_TOO_LARGE;
    return body->state == EDGE_BODY_BAD ? EDGE_CHUNKS : EDGE_OK;
}

size_t edge_body_content(const struct edge_body *body)
{
    bool content = body->state == EDGE_BODY_PLAIN || body->state == EDGE_BODY_CHUNK;
    return content ? (size_t)body->left : 0;
}

void edge_body_take(struct edge_body *body, size_t len)
{
    body->left -= (int64_t)len;
    if (body->left == 0)
        body->state = body->state == EDGE_BODY_PLAIN ? EDGE_BODY_DONE : EDGE_BODY_CHUNK_CR;
}

void edge_body_step(struct edge_body *body, char c)
{
    body->state = after(body, c);
}
