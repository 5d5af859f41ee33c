/* Taking tickets: one channel at a time on a link, opened again whenever the broker closes it. */
#include "common/broker.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/broker_link.h"
#include "common/clock.h"

#define CONSUMER_TAG "tickets"

enum expecting { EXPECT_METHOD, EXPECT_HEADER, EXPECT_BODY };

struct broker {
    struct broker_link link;
    char *queue;
    uint16_t prefetch;
    int wake_fd;
    uint32_t epoch;
    amqp_channel_t channel; /* of this epoch; 0: none, and no connection either */
    bool cancelled;
    int64_t opened_ms; /* clock_mono_ms of that channel */
    struct err lost;   /* why there is no connection */
    /* A delivery comes in frames: method, header, body. */
    enum expecting expecting;
    struct delivery delivery;
    uint64_t missing; /* bytes of its body */
};

int broker_open(struct broker **out, const char *amqp_url, const char *queue, uint16_t prefetch,
                const char *app, struct err *err)
{
    struct broker *broker = calloc(1, sizeof *broker);
    if (!broker || !(broker->queue = strdup(queue)))
        abort();
    broker->prefetch = prefetch;
    broker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (broker->wake_fd < 0) {
        err_errno(err, errno, "eventfd");
        broker_free(broker);
        return -1;
    }
    if (broker_link_init(&broker->link, amqp_url, app, err)) {
        broker_free(broker);
        return -1;
    }
    *out = broker;
    return 0;
}

void broker_free(struct broker *broker)
{
    if (!broker)
        return;
    broker_link_close(&broker->link, broker->channel != 0);
    broker_link_release(&broker->link);
    if (broker->wake_fd >= 0)
        close(broker->wake_fd);
    free(broker->queue);
    free(broker);
}

void broker_wake(struct broker *broker)
{
    const uint64_t one = 1;
    ssize_t written = write(broker->wake_fd, &one, sizeof one);
    (void)written; /* EAGAIN: 2^64 - 2 wakes are pending already */
}

_Bool broker_connected(const struct broker *broker)
{
    return broker->channel != 0;
}

/* Remembers why, so that calls during the backoff can say it. Returns -1. */
static int lose(struct broker *broker, const struct err *err)
{
    broker->lost = *err;
    broker->channel = 0;
    broker->expecting = EXPECT_METHOD;
    broker->epoch++;
    broker_link_close(&broker->link, false);
    return -1;
}

/* A channel number is not used twice in a row, so that late frames of the old one are known as
 * such. */
static int open_channel(struct broker *broker, struct err *err)
{
    amqp_connection_state_t state = broker->link.state;
    broker->epoch++;
    broker->opened_ms = clock_mono_ms();
    broker->expecting = EXPECT_METHOD;
    broker->channel = broker->epoch % 2 + 1;
    if (broker_link_channel(&broker->link, broker->channel, err) ||
        broker_link_declare(&broker->link, broker->channel, err))
        return -1;
    amqp_basic_qos(state, broker->channel, 0, broker->prefetch, false);
    if (broker_link_replied(&broker->link, broker->channel, "prefetch", err))
        return -1;
    amqp_basic_consume(state, broker->channel, amqp_cstring_bytes(broker->queue),
                       amqp_cstring_bytes(CONSUMER_TAG), false, false, false, amqp_empty_table);
    return broker_link_replied(&broker->link, broker->channel, "consume", err);
}

static int connect_broker(struct broker *broker, struct err *err)
{
    if (broker_link_connect(&broker->link, err) || open_channel(broker, err))
        return lose(broker, err);
    broker_link_ready(&broker->link);
    return 0;
}

/* 1 when woken, 0 when something may have arrived or the time is over. */
static int wait_for(struct broker *broker, int64_t ms)
{
    struct pollfd fds[] = {
        {.fd = broker->wake_fd, .events = POLLIN},
        {.fd = broker->link.fd, .events = POLLIN}, /* -1 is ignored by poll */
    };
    int64_t idle = broker_link_idle_ms(&broker->link); /* heartbeats are served between polls */
    if (poll(fds, 2, (int)(ms < idle ? ms : idle)) <= 0 || !fds[0].revents)
        return 0;
    uint64_t wakes;
    return read(broker->wake_fd, &wakes, sizeof wakes) == sizeof wakes;
}

static void nap(struct broker *broker, int64_t until_ms)
{
    for (int64_t left; (left = until_ms - clock_mono_ms()) > 0;)
        if (wait_for(broker, left))
            return;
}

/* Sleeps the backoff as far as it fits before `until_ms`, then connects. */
static int reconnect(struct broker *broker, int64_t until_ms, struct err *err)
{
    int64_t now = clock_mono_ms(), pause = backoff_left(&broker->link.backoff, now);
    if (pause > 0)
        nap(broker, now + pause < until_ms ? now + pause : until_ms);
    if (backoff_left(&broker->link.backoff, clock_mono_ms()) > 0) {
        *err = broker->lost;
        return -1;
    }
    return connect_broker(broker, err);
}

/* The broker closed the channel (consumer timeout) or cancelled us (the queue was deleted):
 * everything not acknowledged was or will be delivered again, so that a new channel is the one
 * answer to both. */
static int reopen(struct broker *broker, struct err *err)
{
    if (broker->cancelled)
        return err_set(err, ERR_BROKER_UNAVAILABLE, "the channel was closed after the cancel");
    /* Channels that close at once would make a loop without a pause; connections have one. */
    if (clock_mono_ms() - broker->opened_ms < LINK_LASTED_MS)
        return err_set(err, ERR_BROKER_UNAVAILABLE, "the broker closes every channel");
    return open_channel(broker, err);
}

static int on_method(struct broker *broker, const amqp_method_t *method, struct err *err)
{
    if (method->id == AMQP_BASIC_DELIVER_METHOD) {
        const amqp_basic_deliver_t *deliver = method->decoded;
        broker->delivery.tag = deliver->delivery_tag;
        broker->delivery.epoch = broker->epoch;
        broker->delivery.redelivered = deliver->redelivered != 0;
        broker->expecting = EXPECT_HEADER;
        return 0;
    }
    if (method->id == AMQP_CHANNEL_CLOSE_METHOD) {
        amqp_channel_close_ok_t ok = {0};
        int status = amqp_send_method(broker->link.state, broker->channel,
                                      AMQP_CHANNEL_CLOSE_OK_METHOD, &ok);
        if (status != AMQP_STATUS_OK)
            return broker_link_failed(status, "close channel", err);
        return reopen(broker, err);
    }
    if (method->id == AMQP_BASIC_CANCEL_METHOD) {
        amqp_channel_close(broker->link.state, broker->channel, AMQP_REPLY_SUCCESS);
        if (broker_link_replied(&broker->link, broker->channel, "close channel", err))
            return -1;
        return reopen(broker, err);
    }
    return 0; /* basic.cancel-ok */
}

static int on_content(struct broker *broker, const amqp_frame_t *frame)
{
    struct delivery *delivery = &broker->delivery;
    if (frame->frame_type == AMQP_FRAME_HEADER && broker->expecting == EXPECT_HEADER) {
        broker->missing = frame->payload.properties.body_size;
        broker->expecting = EXPECT_BODY;
        delivery->len = 0;
    } else if (frame->frame_type == AMQP_FRAME_BODY && broker->expecting == EXPECT_BODY) {
        const amqp_bytes_t *part = &frame->payload.body_fragment;
        size_t room =
            delivery->len < sizeof delivery->body ? sizeof delivery->body - delivery->len : 0;
        memcpy(delivery->body + delivery->len, part->bytes, part->len < room ? part->len : room);
        delivery->len += part->len;
        broker->missing -= part->len < broker->missing ? part->len : broker->missing;
    }
    if (broker->expecting != EXPECT_BODY || broker->missing > 0)
        return 0;
    broker->expecting = EXPECT_METHOD;
    return !broker
                ->cancelled; /* what comes after the cancel goes back when the connection closes */
}

/* 1: broker->delivery is whole; 0: nothing more is there; -1: no connection any more. */
static int receive(struct broker *broker, struct err *err)
{
    amqp_frame_t frame;
    int got;
    while ((got = broker_link_frame(&broker->link, &frame, err)) > 0) {
        int whole = 0;
        if (frame.channel == broker->channel)
            whole = frame.frame_type == AMQP_FRAME_METHOD
                        ? on_method(broker, &frame.payload.method, err)
                        : on_content(broker, &frame);
        if (whole < 0)
            return lose(broker, err);
        broker_link_recycle(&broker->link, &frame);
        if (whole)
            return 1;
    }
    return got < 0 ? lose(broker, err) : 0;
}

/* Adds what has arrived. Deliveries of a channel that went meanwhile are forgotten: they come
 * again. */
static int collect(struct broker *broker, struct delivery *out, size_t len, size_t *count,
                   struct err *err)
{
    while (*count < len) {
        int got = receive(broker, err);
        if (got < 0)
            return -1;
        if (*count > 0 && out[0].epoch != broker->epoch)
            *count = 0;
        if (got == 0)
            return 0;
        out[(*count)++] = broker->delivery;
    }
    return 0;
}

int broker_next(struct broker *broker, struct delivery *out, size_t len, int wait_ms, int gather_ms,
                struct err *err)
{
    int64_t until = clock_mono_ms() + wait_ms;
    size_t count = 0;
    bool gathering = false;
    if (!broker->channel && broker->cancelled) {
        nap(broker, until);
        return 0;
    }
    if (!broker->channel && reconnect(broker, until, err))
        return -1;
    for (;;) {
        if (collect(broker, out, len, &count, err))
            return -1;
        int64_t now = clock_mono_ms();
        if (count > 0 && !gathering) {
            gathering = true;
            until = now + gather_ms;
        }
        if (count == len || now >= until || wait_for(broker, until - now))
            return (int)count;
    }
}

static bool is_current(const struct broker *broker, const struct delivery *delivery)
{
    return broker->channel != 0 && delivery->epoch == broker->epoch;
}

static int sent(struct broker *broker, int status, const char *what, struct err *err)
{
    if (status == AMQP_STATUS_OK)
        return 0;
    broker_link_failed(status, what, err);
    return lose(broker, err);
}

void broker_gather(struct broker *broker, bool gather)
{
    broker_link_gather(&broker->link, gather);
}

int broker_ack(struct broker *broker, const struct delivery *delivery, struct err *err)
{
    if (!is_current(broker, delivery))
        return 0;
    return sent(broker, amqp_basic_ack(broker->link.state, broker->channel, delivery->tag, false),
                "ack", err);
}

int broker_reject(struct broker *broker, const struct delivery *delivery, _Bool requeue,
                  struct err *err)
{
    if (!is_current(broker, delivery))
        return 0;
    return sent(broker,
                amqp_basic_reject(broker->link.state, broker->channel, delivery->tag, requeue),
                "reject", err);
}

int broker_cancel(struct broker *broker, struct err *err)
{
    if (broker->cancelled)
        return 0;
    broker->cancelled = true;
    if (!broker->channel)
        return 0;
    /* Without waiting for the answer: deliveries may be in front of it. */
    amqp_basic_cancel_t cancel = {.consumer_tag = amqp_cstring_bytes(CONSUMER_TAG), .nowait = true};
    return sent(
        broker,
        amqp_send_method(broker->link.state, broker->channel, AMQP_BASIC_CANCEL_METHOD, &cancel),
        "cancel", err);
}
