/* Bytes come in through edge_input, which hands on whole heads and canonical bodies; they go out
 * through edge_output, which writes to the socket itself. evhttp takes an empty filter for a
 * finished answer and may close the connection then, so nothing may wait below the filter. */
#include "gateway/edge.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "gateway/edge_body.h"

enum { TICK_MS = 500, WRITE_AT_ONCE = 1 << 20 };

enum reading { READING_HEAD, READING_BODY, READING_NOTHING /* after a fault */ };

struct connection {
    struct edge *edge;
    struct bufferevent *filter;
    struct connection *next, **from; /* of the edge's list */
    struct event writable;
    enum reading reading;
    size_t seen; /* of the head that is not whole yet */
    struct edge_body body;
    bool chunked, admitted, writing;
    struct edge_peer peer;
    int64_t deadline_ms; /* 0: none */
};

struct edge {
    struct event_base *base;
    struct edge_limits limits;
    struct edge_peers *peers;
    struct connection *connections;
    struct event *tick, *arrival;
    size_t writing;
};

/* bufferevent_free takes the callbacks away at once and the rest when the loop comes round again.
 */
static bool abandoned(const struct connection *connection)
{
    bufferevent_event_cb on_event;
    bufferevent_getcb(connection->filter, NULL, NULL, &on_event, NULL);
    return on_event == NULL;
}

/* --- in --- */

/* Puts the refusal in the request's place; what follows on this connection is dropped. */
static void refuse(struct connection *connection, enum edge_fault fault, struct evbuffer *to)
{
    evbuffer_add_printf(to, "GET %s%d HTTP/1.1\r\nHost: -\r\nConnection: close\r\n\r\n",
                        EDGE_REFUSED_PATH, (int)fault);
    connection->reading = READING_NOTHING;
    connection->deadline_ms = 0;
}

/* The same in the middle of a chunked body, whose chunks until here are whole: fills it up to the
 * length that tells. */
static void refuse_body(struct connection *connection, struct evbuffer *to)
{
    enum edge_fault fault = edge_body_fault(&connection->body);
    size_t len = EDGE_BODY_MAX + (size_t)fault - (size_t)connection->body.total;
    char *filler = calloc(1, len);
    if (!filler)
        abort();
    evbuffer_add_printf(to, "%zx\r\n", len);
    evbuffer_add(to, filler, len);
    evbuffer_add(to, "\r\n0\r\n\r\n", 7);
    free(filler);
    connection->reading = READING_NOTHING;
    connection->deadline_ms = 0;
}

static void begin_body(struct connection *connection, const struct edge_head *head)
{
    edge_body_start(&connection->body, head);
    connection->chunked = head->chunked;
    bool ended = edge_body_ended(&connection->body);
    connection->reading = ended ? READING_HEAD : READING_BODY;
    connection->deadline_ms =
        ended ? 0 : clock_mono_ms() + connection->edge->limits.body_timeout_ms;
}

static bool take_head(struct connection *connection, struct evbuffer *from, struct evbuffer *to)
{
    size_t len = evbuffer_get_length(from);
    if (len > EDGE_HEAD_MAX + 1)
        len = EDGE_HEAD_MAX + 1;
    const char *bytes = (const char *)evbuffer_pullup(from, (ev_ssize_t)len);
    enum edge_fault fault;
    struct edge_head head;
    if (connection->deadline_ms == 0)
        connection->deadline_ms = clock_mono_ms() + connection->edge->limits.header_timeout_ms;
    size_t end = edge_head_end(bytes, len, &connection->seen, &fault);
    if (end == 0 && fault == EDGE_OK)
        return false;
    connection->seen = 0;
    if (fault == EDGE_OK)
        fault = edge_head_check(bytes, end, &head);
    if (fault != EDGE_OK) {
        refuse(connection, fault, to);
        return true;
    }
    evbuffer_remove_buffer(from, to, end);
    begin_body(connection, &head);
    return true;
}

/* Chunk sizes are printed anew, so that evhttp's idea of them does not matter. */
static void take_framing(struct connection *connection, struct evbuffer *from, struct evbuffer *to)
{
    char c;
    evbuffer_remove(from, &c, 1);
    edge_body_step(&connection->body, c);
    if (connection->body.state == EDGE_BODY_CHUNK)
        evbuffer_add_printf(to, "%zx\r\n", edge_body_content(&connection->body));
    else if (connection->body.state == EDGE_BODY_DONE)
        evbuffer_add(to, "0\r\n\r\n", 5);
}

static void take_content(struct connection *connection, struct evbuffer *from, struct evbuffer *to)
{
    size_t len = edge_body_content(&connection->body), here = evbuffer_get_length(from);
    if (len > here)
        len = here;
    evbuffer_remove_buffer(from, to, len);
    edge_body_take(&connection->body, len);
    if (connection->chunked && edge_body_content(&connection->body) == 0)
        evbuffer_add(to, "\r\n", 2);
}

static void take_body(struct connection *connection, struct evbuffer *from, struct evbuffer *to)
{
    while (evbuffer_get_length(from) > 0 && !edge_body_ended(&connection->body)) {
        if (edge_body_content(&connection->body) > 0)
            take_content(connection, from, to);
        else
            take_framing(connection, from, to);
    }
    if (edge_body_fault(&connection->body) != EDGE_OK) {
        refuse_body(connection, to);
    } else if (edge_body_ended(&connection->body)) {
        connection->reading = READING_HEAD;
        connection->deadline_ms = 0;
    }
}

static enum bufferevent_filter_result edge_input(struct evbuffer *from, struct evbuffer *to,
                                                 ev_ssize_t limit, enum bufferevent_flush_mode mode,
                                                 void *arg)
{
    struct connection *connection = arg;
    bool progress = false, more = true;
    (void)limit;
    (void)mode;
    while (more && evbuffer_get_length(from) > 0) {
        switch (connection->reading) {
        case READING_HEAD:
            more = take_head(connection, from, to);
            progress |= more;
            break;
        case READING_BODY:
            take_body(connection, from, to);
            progress = true;
            break;
        case READING_NOTHING:
            evbuffer_drain(from, evbuffer_get_length(from));
            break;
        }
    }
    return progress ? BEV_OK : BEV_NEED_MORE;
}

/* --- out --- */

static void set_writing(struct connection *connection, bool writing)
{
    if (writing != connection->writing)
        connection->edge->writing += writing ? 1 : (size_t)-1;
    connection->writing = writing;
}

static enum bufferevent_filter_result edge_output(struct evbuffer *from, struct evbuffer *to,
                                                  ev_ssize_t limit,
                                                  enum bufferevent_flush_mode mode, void *arg)
{
    struct connection *connection = arg;
    (void)to;
    (void)limit;
    (void)mode;
    if (evbuffer_get_length(from) == 0)
        return BEV_NEED_MORE;
    int fd = bufferevent_getfd(connection->filter);
    int written = evbuffer_write_atmost(from, fd, WRITE_AT_ONCE);
    if (written < 0 && errno != EAGAIN && errno != EINTR) {
        bufferevent_trigger_event(connection->filter, BEV_EVENT_WRITING | BEV_EVENT_ERROR,
                                  BEV_OPT_DEFER_CALLBACKS);
        return BEV_ERROR;
    }
    set_writing(connection, evbuffer_get_length(from) > 0);
    if (connection->writing)
        event_add(&connection->writable, NULL);
    return written > 0 ? BEV_OK : BEV_NEED_MORE;
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct connection *connection = arg;
    (void)fd;
    (void)what;
    if (!abandoned(connection))
        edge_flush(connection->filter);
}

void edge_flush(struct bufferevent *bufferevent)
{
    bufferevent_flush(bufferevent, EV_WRITE, BEV_FLUSH);
}

bool edge_writing(const struct edge *edge)
{
    return edge->writing > 0;
}

/* --- connections --- */

static void hang_up(struct connection *connection, short why)
{
    if (!abandoned(connection))
        bufferevent_trigger_event(connection->filter, (short)(BEV_EVENT_READING | why),
                                  BEV_OPT_DEFER_CALLBACKS);
}

static void connection_free(void *arg)
{
    struct connection *connection = arg;
    set_writing(connection, false);
    if (event_initialized(&connection->writable))
        event_del(&connection->writable);
    if (connection->admitted)
        edge_peers_leave(connection->edge->peers, connection->peer);
    *connection->from = connection->next;
    if (connection->next)
        connection->next->from = connection->from;
    free(connection);
}

struct bufferevent *edge_bufferevent(struct event_base *base, void *arg)
{
    struct edge *edge = arg;
    struct connection *connection = calloc(1, sizeof *connection);
    struct bufferevent *socket = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (!connection || !socket)
        abort();
    connection->filter = bufferevent_filter_new(socket, edge_input, edge_output,
                                                BEV_OPT_CLOSE_ON_FREE, connection_free, connection);
    if (!connection->filter)
        abort();
    connection->edge = edge;
    connection->next = edge->connections;
    connection->from = &edge->connections;
    if (connection->next)
        connection->next->from = &connection->next;
    edge->connections = connection;
    connection->deadline_ms = clock_mono_ms() + edge->limits.header_timeout_ms;
    /* evhttp sets the socket after this returns: it is looked at right afterwards. */
    event_active(edge->arrival, EV_TIMEOUT, 0);
    return connection->filter;
}

static void turn_away(struct connection *connection, int fd)
{
    static const char answer[] =
        "HTTP/1.1 503 Service Unavailable\r\n"
        "Content-Type: application/problem+json\r\nRetry-After: 5\r\n"
        "Connection: close\r\n\r\n"
        "{\"type\":\"/problems/overloaded\",\"title\":\"Service Unavailable\","
        "\"status\":503,\"detail\":\"too many connections\",\"code\":\"overloaded\"}";
    ssize_t sent = send(fd, answer, sizeof answer - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)sent; /* a courtesy: the connection is closed either way */
    hang_up(connection, BEV_EVENT_EOF);
}

static void admit(struct connection *connection, int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;
    if (getpeername(fd, (struct sockaddr *)&address, &len)) {
        hang_up(connection, BEV_EVENT_EOF);
        return;
    }
    event_assign(&connection->writable, connection->edge->base, fd, EV_WRITE, on_writable,
                 connection);
    connection->peer = edge_peer_of((const struct sockaddr *)&address);
    connection->admitted = edge_peers_enter(connection->edge->peers, connection->peer);
    if (!connection->admitted)
        turn_away(connection, fd);
}

/* New connections stand at the front of the list. */
static void on_arrival(evutil_socket_t ignored, short what, void *arg)
{
    struct edge *edge = arg;
    (void)ignored;
    (void)what;
    for (struct connection *at = edge->connections; at && !event_initialized(&at->writable);
         at = at->next) {
        int fd = bufferevent_getfd(at->filter);
        if (fd >= 0)
            admit(at, fd);
    }
}

static void on_tick(evutil_socket_t ignored, short what, void *arg)
{
    struct edge *edge = arg;
    int64_t now = clock_mono_ms();
    (void)ignored;
    (void)what;
    for (struct connection *at = edge->connections; at; at = at->next)
        if (at->deadline_ms && now > at->deadline_ms)
            hang_up(at, BEV_EVENT_TIMEOUT);
}

int edge_open(struct edge **out, struct event_base *base, const struct edge_limits *limits,
              struct edge_peers *peers, struct err *err)
{
    struct edge *edge = calloc(1, sizeof *edge);
    const struct timeval tick = {.tv_usec = TICK_MS * 1000};
    if (!edge)
        abort();
    *edge = (struct edge){.base = base, .limits = *limits, .peers = peers};
    edge->tick = event_new(base, -1, EV_PERSIST, on_tick, edge);
    edge->arrival = event_new(base, -1, 0, on_arrival, edge);
    if (!edge->tick || !edge->arrival || event_add(edge->tick, &tick)) {
        edge_free(edge);
        return err_set(err, ERR_INTERNAL, "no event for the edge");
    }
    *out = edge;
    return 0;
}

void edge_free(struct edge *edge)
{
    if (!edge)
        return;
    if (edge->tick)
        event_free(edge->tick);
    if (edge->arrival)
        event_free(edge->arrival);
    free(edge);
}
