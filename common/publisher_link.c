/* Publishing with confirms on one link. */
#include "common/publisher_link.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "common/doc_json.h"
#include "proto/ticket.h"
#include "proto/topology.h"

enum { CONFIRMS = 1, CONTROL_EVEN = 2, CONTROL_ODD = 3, PERSISTENT = 2 };
/* Shorter than a publication's deadline, so that a declare that hangs does not make it late. */
enum { CONTROL_RPC_S = 4 };

static int open_control(struct publisher_link *link, struct err *err)
{
    link->control = link->control == CONTROL_EVEN ? CONTROL_ODD : CONTROL_EVEN;
    if (broker_link_channel(&link->link, link->control, err))
        return -1;
    return broker_link_declare(&link->link, link->control, err);
}

static int open_confirms(struct publisher_link *link, struct err *err)
{
    if (broker_link_channel(&link->link, CONFIRMS, err))
        return -1;
    amqp_confirm_select(link->link.state, CONFIRMS);
    return broker_link_replied(&link->link, CONFIRMS, "confirms", err);
}

int publisher_link_connect(struct publisher_link *link, struct err *err)
{
    const struct timeval rpc = {.tv_sec = CONTROL_RPC_S};
    if (broker_link_connect(&link->link, err))
        return -1;
    if (open_control(link, err) || open_confirms(link, err)) {
        broker_link_close(&link->link, false);
        return -1;
    }
    int status = amqp_set_rpc_timeout(link->link.state, &rpc);
    if (status != AMQP_STATUS_OK) {
        broker_link_close(&link->link, false);
        return broker_link_failed(status, "rpc timeout", err);
    }
    window_reset(&link->window);
    link->blocked = link->redeclare = link->stuffed = false;
    broker_link_ready(&link->link);
    return 0;
}

void publisher_link_refuse(struct publisher_link *link)
{
    struct outgoing outgoing;
    while (publisher_queue_pop(&link->outbox, &outgoing))
        outgoing_finish(&outgoing, false);
}

void publisher_link_close(struct publisher_link *link, bool politely)
{
    struct outgoing outgoing;
    broker_link_close(&link->link, politely);
    while (window_settle(&link->window, UINT64_MAX, true, &outgoing))
        outgoing_finish(&outgoing, false);
    publisher_link_refuse(link);
}

/* The tag in it tells which one was returned. */
static int publish(struct publisher_link *link, const struct outgoing *outgoing,
                   const char *exchange, const char *key, amqp_bytes_t body,
                   amqp_basic_properties_t *properties, struct err *err)
{
    char tag[24];
    snprintf(tag, sizeof tag, "%" PRIu64, window_add(&link->window, outgoing));
    properties->_flags |= AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_CORRELATION_ID_FLAG;
    properties->delivery_mode = PERSISTENT;
    properties->correlation_id = amqp_cstring_bytes(tag);
    int status = amqp_basic_publish(link->link.state, CONFIRMS, amqp_cstring_bytes(exchange),
                                    amqp_cstring_bytes(key), true, false, properties, body);
    return status == AMQP_STATUS_OK ? 0 : broker_link_failed(status, "publish", err);
}

static int publish_ticket(struct publisher_link *link, const struct outgoing *outgoing,
                          struct err *err)
{
    const struct ticket ticket = {TICKET_VERSION, outgoing->job, outgoing->task};
    struct text body = {.arena = &link->arena};
    arena_reset(&link->arena);
    doc_json_encode(&ticket_doc, &ticket, &body);
    amqp_basic_properties_t properties = {
        ._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG,
        .content_type = amqp_cstring_bytes("application/json"),
        .message_id = amqp_cstring_bytes(outgoing->job),
    };
    return publish(link, outgoing, TOPOLOGY_EXCHANGE, kinds[outgoing->kind].queue,
                   (amqp_bytes_t){.len = body.len, .bytes = body.at}, &properties, err);
}

static int publish_letter(struct publisher_link *link, const struct outgoing *outgoing,
                          struct err *err)
{
    const struct dead_letter *letter = outgoing->letter;
    amqp_table_entry_t headers[] = {
        broker_link_text(TOPOLOGY_DEAD_REASON, letter->reason),
        broker_link_text(TOPOLOGY_DEAD_FROM, letter->queue),
        broker_link_text(TOPOLOGY_DEAD_WORKER, letter->worker),
        {.key = amqp_cstring_bytes(TOPOLOGY_DEAD_BYTES),
         .value = {.kind = AMQP_FIELD_KIND_I64, .value.i64 = letter->bytes}},
    };
    amqp_basic_properties_t properties = {
        ._flags = AMQP_BASIC_HEADERS_FLAG,
        .headers = {.num_entries = sizeof headers / sizeof headers[0], .entries = headers},
    };
    /* librabbitmq's bytes are not const; it only reads them. */
    return publish(link, outgoing, TOPOLOGY_DEAD_EXCHANGE, letter->queue,
                   (amqp_bytes_t){.len = letter->len, .bytes = (void *)letter->body}, &properties,
                   err);
}

/* librabbitmq waits without a bound for a socket that is full. The kernel says "writable" only when
 * there is far more room than a ticket takes, so that asking before each one is enough. */
static bool is_writable(const struct publisher_link *link)
{
    struct pollfd fd = {.fd = link->link.fd, .events = POLLOUT};
    return poll(&fd, 1, 0) > 0;
}

static int send_outbox(struct publisher_link *link, int64_t now_ms, struct err *err)
{
    const struct outgoing *next;
    struct outgoing outgoing;
    while ((next = publisher_queue_peek(&link->outbox)) && window_has_room(&link->window)) {
        bool late = next->deadline_ms <= now_ms;
        if (!late && !is_writable(link)) {
            link->stuffed = true;
            return 0;
        }
        publisher_queue_pop(&link->outbox, &outgoing);
        if (late)
            outgoing_finish(&outgoing, false);
        else if (outgoing.letter ? publish_letter(link, &outgoing, err)
                                 : publish_ticket(link, &outgoing, err))
            return -1;
    }
    return 0;
}

int publisher_link_send(struct publisher_link *link, int64_t now_ms, struct err *err)
{
    if (link->redeclare) {
        link->redeclare = false;
        if (broker_link_declare(&link->link, link->control, err))
            return -1;
    }
    link->stuffed = false;
    broker_link_gather(&link->link, true);
    int failed = send_outbox(link, now_ms, err);
    broker_link_gather(&link->link, false);
    return failed;
}

void publisher_link_expire(struct publisher_link *link, int64_t now_ms)
{
    const struct outgoing *next;
    struct outgoing outgoing;
    while (window_expire(&link->window, now_ms, &outgoing))
        outgoing_finish(&outgoing, false);
    while ((next = publisher_queue_peek(&link->outbox)) && next->deadline_ms <= now_ms) {
        publisher_queue_pop(&link->outbox, &outgoing);
        outgoing_finish(&outgoing, false);
    }
}

static void on_confirm(struct publisher_link *link, uint64_t tag, bool multiple, bool acked)
{
    struct outgoing outgoing;
    while (window_settle(&link->window, tag, multiple, &outgoing)) {
        if (!acked || !outgoing.returned || outgoing.again) {
            outgoing_finish(&outgoing, acked && !outgoing.returned);
            continue;
        }
        outgoing.again = true;
        outgoing.returned = false;
        link->redeclare = true;
        publisher_queue_push(&link->outbox, &outgoing);
    }
}

/* The header of a returned message: the tag is in it because it is ours. */
static void on_returned(struct publisher_link *link, const amqp_basic_properties_t *properties)
{
    char tag[24] = "";
    if (!(properties->_flags & AMQP_BASIC_CORRELATION_ID_FLAG) ||
        properties->correlation_id.len >= sizeof tag)
        return;
    memcpy(tag, properties->correlation_id.bytes, properties->correlation_id.len);
    struct outgoing *outgoing = window_find(&link->window, strtoull(tag, NULL, 10));
    if (outgoing)
        outgoing->returned = true;
}

static int on_method(struct publisher_link *link, const amqp_method_t *method, struct err *err)
{
    const amqp_basic_ack_t *ack = method->decoded;
    const amqp_basic_nack_t *nack = method->decoded;
    const amqp_channel_close_t *close = method->decoded;
    switch (method->id) {
    case AMQP_BASIC_ACK_METHOD:
        on_confirm(link, ack->delivery_tag, ack->multiple, true);
        return 0;
    case AMQP_BASIC_NACK_METHOD:
        on_confirm(link, nack->delivery_tag, nack->multiple, false);
        return 0;
    case AMQP_CONNECTION_BLOCKED_METHOD:
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
        link->blocked = method->id == AMQP_CONNECTION_BLOCKED_METHOD;
        return 0;
    case AMQP_CHANNEL_CLOSE_METHOD:
        /* What was sent on it is unknown now; a new connection is the same answer as to any other
         * loss. */
        return broker_link_refused(close->reply_code, close->reply_text, "channel closed", err);
    default:
        return 0; /* basic.return: its header tells all */
    }
}

int publisher_link_receive(struct publisher_link *link, struct err *err)
{
    amqp_frame_t frame;
    int got;
    while ((got = broker_link_frame(&link->link, &frame, err)) > 0) {
        if (frame.frame_type == AMQP_FRAME_METHOD && on_method(link, &frame.payload.method, err))
            return -1;
        if (frame.frame_type == AMQP_FRAME_HEADER)
            on_returned(link, frame.payload.properties.decoded);
        broker_link_recycle(&link->link, &frame);
    }
    return got;
}

static bool is_missing(amqp_rpc_reply_t reply)
{
    if (reply.reply_type != AMQP_RESPONSE_SERVER_EXCEPTION ||
        reply.reply.id != AMQP_CHANNEL_CLOSE_METHOD)
        return false;
    const amqp_channel_close_t *close = reply.reply.decoded;
    return close->reply_code == AMQP_NOT_FOUND;
}

int publisher_link_depth(struct publisher_link *link, enum kind kind, struct queue_depth *out,
                         struct err *err)
{
    const char *queue = kind == KIND_NONE ? TOPOLOGY_DEAD_QUEUE : kinds[kind].queue;
    const amqp_queue_declare_ok_t *ok =
        amqp_queue_declare(link->link.state, link->control, amqp_cstring_bytes(queue), true, true,
                           false, false, amqp_empty_table);
    if (ok) {
        *out = (struct queue_depth){.ready = ok->message_count, .consumers = ok->consumer_count};
        amqp_maybe_release_buffers_on_channel(link->link.state, link->control);
        return 0;
    }
    bool missing = is_missing(amqp_get_rpc_reply(link->link.state));
    broker_link_replied(&link->link, link->control, queue, err);
    if (!missing || open_control(link, err))
        return -1;
    *out = (struct queue_depth){0}; /* declared anew just now */
    return 0;
}
