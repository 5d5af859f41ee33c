/* A link's channels, declarations and frames. */
#include <string.h>
#include <sys/time.h>

#include "common/broker_link.h"
#include "proto/topology.h"

static int closed_channel(struct broker_link *link, amqp_channel_t channel,
                          const amqp_channel_close_t *close, const char *what, struct err *err)
{
    amqp_channel_close_ok_t ok = {0};
    int status = amqp_send_method(link->state, channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok);
    if (status != AMQP_STATUS_OK)
        return broker_link_failed(status, what, err);
    return broker_link_refused(close->reply_code, close->reply_text, what, err);
}

int broker_link_replied(struct broker_link *link, amqp_channel_t channel, const char *what,
                        struct err *err)
{
    amqp_rpc_reply_t reply = amqp_get_rpc_reply(link->state);
    if (reply.reply_type == AMQP_RESPONSE_NORMAL)
        return 0;
    if (reply.reply_type != AMQP_RESPONSE_SERVER_EXCEPTION)
        return broker_link_failed(reply.library_error, what, err);
    if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD)
        return closed_channel(link, channel, reply.reply.decoded, what, err);
    const amqp_connection_close_t *close = reply.reply.decoded;
    return broker_link_refused(close->reply_code, close->reply_text, what, err);
}

int broker_link_channel(struct broker_link *link, amqp_channel_t channel, struct err *err)
{
    amqp_channel_open(link->state, channel);
    return broker_link_replied(link, channel, "open channel", err);
}

amqp_table_entry_t broker_link_text(const char *key, const char *value)
{
    return (amqp_table_entry_t){
        .key = amqp_cstring_bytes(key),
        .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes(value)},
    };
}

static void declare_queue(struct broker_link *link, amqp_channel_t channel,
                          const struct topology_item *item)
{
    amqp_table_entry_t entries[3] = {broker_link_text("x-queue-type", TOPOLOGY_QUEUE_TYPE)};
    amqp_table_t arguments = {.num_entries = 1, .entries = entries};
    if (item->dead_letter_exchange)
        entries[arguments.num_entries++] =
            broker_link_text("x-dead-letter-exchange", item->dead_letter_exchange);
    if (strcmp(TOPOLOGY_QUEUE_TYPE, "quorum") == 0)
        entries[arguments.num_entries++] = (amqp_table_entry_t){
            .key = amqp_cstring_bytes("x-delivery-limit"),
            .value = {.kind = AMQP_FIELD_KIND_I32, .value.i32 = 1000},
        };
    amqp_queue_declare(link->state, channel, amqp_cstring_bytes(item->name), false, true, false,
                       false, arguments);
}

static void declare(struct broker_link *link, amqp_channel_t channel,
                    const struct topology_item *item)
{
    amqp_bytes_t name = amqp_cstring_bytes(item->name);
    if (item->type == TOPOLOGY_IS_QUEUE)
        declare_queue(link, channel, item);
    else if (item->type == TOPOLOGY_IS_EXCHANGE)
        amqp_exchange_declare(link->state, channel, name, amqp_cstring_bytes(item->kind), false,
                              true, false, false, amqp_empty_table);
    else
        amqp_queue_bind(link->state, channel, name, amqp_cstring_bytes(item->exchange), name,
                        amqp_empty_table);
}

int broker_link_declare(struct broker_link *link, amqp_channel_t channel, struct err *err)
{
    for (size_t i = 0; i < topology_len; i++) {
        declare(link, channel, &topology[i]);
        if (broker_link_replied(link, channel, topology[i].name, err))
            return err_prefix(err, "declare");
    }
    return 0;
}

static int closed_connection(struct broker_link *link, const amqp_connection_close_t *close,
                             struct err *err)
{
    amqp_connection_close_ok_t ok = {0};
    broker_link_refused(close->reply_code, close->reply_text, "closed by the broker", err);
    /* A courtesy: the connection ends either way. */
    (void)amqp_send_method(link->state, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok);
    return -1;
}

int broker_link_frame(struct broker_link *link, amqp_frame_t *frame, struct err *err)
{
    struct timeval at_once = {0};
    int status = amqp_simple_wait_frame_noblock(link->state, frame, &at_once);
    if (status == AMQP_STATUS_TIMEOUT)
        return 0;
    if (status != AMQP_STATUS_OK)
        return broker_link_failed(status, "connection", err);
    if (frame->frame_type == AMQP_FRAME_METHOD &&
        frame->payload.method.id == AMQP_CONNECTION_CLOSE_METHOD)
        return closed_connection(link, frame->payload.method.decoded, err);
    return 1;
}

void broker_link_recycle(struct broker_link *link, const amqp_frame_t *frame)
{
    amqp_maybe_release_buffers_on_channel(link->state, frame->channel);
}

bool broker_link_pending(struct broker_link *link)
{
    return amqp_frames_enqueued(link->state) || amqp_data_in_buffer(link->state);
}

int64_t broker_link_idle_ms(struct broker_link *link)
{
    int64_t half = link->state ? INT64_C(500) * amqp_get_heartbeat(link->state) : 0;
    return half > 0 && half < LINK_IDLE_MS ? half : LINK_IDLE_MS;
}
