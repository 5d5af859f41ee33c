/* A broker on a thread, behind the link to it: it confirms late, in bulk, negatively or not at all, returns what no queue
 * takes, blocks, and cuts the connection. Stands in for common/broker_link and for as much of librabbitmq as the publisher
 * calls. For programs of one file. */
#ifndef TESTS_FAKE_LINK_H
#define TESTS_FAKE_LINK_H

#include "stress.h"

#include <amqp.h>
#include <amqp_framing.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/broker_link.h"
#include "proto/topology.h"

enum { TAGS = 65536, FRAMES = 65536 };
/* It does something every so many of its rounds; all in all so many. */
enum { CUT = 97, CLOSE = 131, TOGGLE_BLOCK = 71, SILENCE = 307, IN_BULK = 11, ROUNDS = 1500 };

/* The broker's side of the connection. */
struct frame {
    enum { FRAME_ACK, FRAME_NACK, FRAME_RETURN, FRAME_BLOCK, FRAME_UNBLOCK, FRAME_CLOSE } what;
    uint64_t tag;
    bool multiple;
};
static struct {
    pthread_mutex_t lock;
    void (*on_routed)(int ticket); /* a queue has it */
    bool open, cut, blocked, ends, enough;
    unsigned rounds;
    uint64_t published, settled; /* tags of this connection */
    int tickets[TAGS];           /* by tag */
    struct frame frames[FRAMES];
    size_t first, len;
    int fd; /* readable while there are frames, or after a cut */
    uint64_t dice;
    int connects, refusals, cuts, nacks, returns, blocks;
} broker = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* --- the link; on the publisher's thread --- */

int broker_link_init(struct broker_link *link, const char *url, const char *app, struct err *err)
{
    (void)url, (void)app, (void)err;
    link->fd = -1;
    return 0;
}

void broker_link_release(struct broker_link *link)
{
    (void)link;
}

int broker_link_connect(struct broker_link *link, struct err *err)
{
    pthread_mutex_lock(&broker.lock);
    bool refused = stress_chance(&broker.dice, 300);
    broker.refusals += refused;
    broker.connects += !refused;
    if (!refused) {
        broker.open = true;
        broker.cut = broker.blocked = false;
        broker.published = broker.settled = 0;
        broker.first = broker.len = 0;
        link->fd = broker.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        link->state = (amqp_connection_state_t)&broker;
    }
    pthread_mutex_unlock(&broker.lock);
    if (refused)
        usleep(1000);
    return refused ? err_set(err, ERR_BROKER_UNAVAILABLE, "refused") : 0;
}

void broker_link_ready(struct broker_link *link)
{
    (void)link;
}

void broker_link_close(struct broker_link *link, bool politely)
{
    (void)politely;
    pthread_mutex_lock(&broker.lock);
    if (broker.open)
        close(broker.fd);
    broker.open = false;
    link->fd = -1;
    link->state = NULL;
    pthread_mutex_unlock(&broker.lock);
}

int broker_link_channel(struct broker_link *link, amqp_channel_t channel, struct err *err)
{
    (void)link, (void)channel, (void)err;
    return 0;
}

int broker_link_declare(struct broker_link *link, amqp_channel_t channel, struct err *err)
{
    (void)link, (void)channel, (void)err;
    return 0;
}

int broker_link_replied(struct broker_link *link, amqp_channel_t channel, const char *what,
                        struct err *err)
{
    (void)link, (void)channel, (void)what, (void)err;
    return 0;
}

static inline amqp_method_number_t method_of(const struct frame *frame)
{
    switch (frame->what) {
    case FRAME_ACK:
        return AMQP_BASIC_ACK_METHOD;
    case FRAME_NACK:
        return AMQP_BASIC_NACK_METHOD;
    case FRAME_BLOCK:
        return AMQP_CONNECTION_BLOCKED_METHOD;
    case FRAME_UNBLOCK:
        return AMQP_CONNECTION_UNBLOCKED_METHOD;
    default:
        return AMQP_CHANNEL_CLOSE_METHOD;
    }
}

/* What the frame says, in memory of the link's thread. */
static inline void decode(const struct frame *from, amqp_frame_t *to)
{
    static union {
        amqp_basic_ack_t ack;
        amqp_basic_nack_t nack;
        amqp_channel_close_t close;
        amqp_basic_properties_t properties;
    } decoded;
    static char tag[24];
    memset(&decoded, 0, sizeof decoded);
    to->frame_type = from->what == FRAME_RETURN ? AMQP_FRAME_HEADER : AMQP_FRAME_METHOD;
    if (from->what == FRAME_RETURN) {
        snprintf(tag, sizeof tag, "%" PRIu64, from->tag);
        decoded.properties._flags = AMQP_BASIC_CORRELATION_ID_FLAG;
        decoded.properties.correlation_id = (amqp_bytes_t){strlen(tag), tag};
        to->payload.properties.decoded = &decoded;
        return;
    }
    to->payload.method.id = method_of(from);
    to->payload.method.decoded = &decoded;
    if (from->what == FRAME_ACK)
        decoded.ack = (amqp_basic_ack_t){from->tag, from->multiple};
    else if (from->what == FRAME_NACK)
        decoded.nack = (amqp_basic_nack_t){from->tag, from->multiple, false};
}

int broker_link_frame(struct broker_link *link, amqp_frame_t *out, struct err *err)
{
    uint64_t count;
    struct frame frame;
    pthread_mutex_lock(&broker.lock);
    bool cut = broker.cut, got = !cut && broker.len > 0;
    if (got) {
        frame = broker.frames[broker.first++ % FRAMES];
        broker.len--;
    } else if (read(link->fd, &count, sizeof count) < 0) {
        count = 0; /* nothing was there */
    }
    pthread_mutex_unlock(&broker.lock);
    if (cut)
        return err_set(err, ERR_BROKER_UNAVAILABLE, "cut");
    if (got)
        decode(&frame, out);
    return got;
}

void broker_link_recycle(struct broker_link *link, const amqp_frame_t *frame)
{
    (void)link, (void)frame;
}

void broker_link_gather(struct broker_link *link, bool gather)
{
    (void)link, (void)gather;
}

bool broker_link_pending(struct broker_link *link)
{
    (void)link;
    return false;
}

int64_t broker_link_idle_ms(struct broker_link *link)
{
    (void)link;
    return 1000;
}

int broker_link_failed(int status, const char *what, struct err *err)
{
    return err_set(err, ERR_BROKER_UNAVAILABLE, "%s: %d", what, status);
}

int broker_link_refused(int code, amqp_bytes_t text, const char *what, struct err *err)
{
    (void)text;
    return err_set(err, ERR_BROKER_UNAVAILABLE, "%s: %d", what, code);
}

/* --- librabbitmq, as far as the publisher's link calls it --- */

const amqp_table_t amqp_empty_table;

amqp_bytes_t amqp_cstring_bytes(const char *text)
{
    amqp_bytes_t bytes = {.len = strlen(text)};
    memcpy(&bytes.bytes, &text, sizeof text);
    return bytes;
}

amqp_table_entry_t broker_link_text(const char *key, const char *value)
{
    (void)value;
    return (amqp_table_entry_t){.key = amqp_cstring_bytes(key)};
}

amqp_confirm_select_ok_t *amqp_confirm_select(amqp_connection_state_t state, amqp_channel_t channel)
{
    (void)state, (void)channel;
    return NULL;
}

int amqp_set_rpc_timeout(amqp_connection_state_t state, const struct timeval *timeout)
{
    (void)state, (void)timeout;
    return AMQP_STATUS_OK;
}

/* The ticket's number is its task. */
int amqp_basic_publish(amqp_connection_state_t state, amqp_channel_t channel, amqp_bytes_t exchange,
                       amqp_bytes_t key, amqp_boolean_t mandatory, amqp_boolean_t immediate,
                       const struct amqp_basic_properties_t_ *properties, amqp_bytes_t body)
{
    (void)state, (void)channel, (void)exchange, (void)key, (void)immediate, (void)properties;
    char text[128];
    CHECK(mandatory);
    CHECK(body.len < sizeof text);
    memcpy(text, body.bytes, body.len);
    text[body.len] = '\0';
    const char *task = strstr(text, "\"task\":");
    CHECK(task);
    pthread_mutex_lock(&broker.lock);
    bool cut = broker.cut;
    if (!cut) {
        CHECK(broker.published - broker.settled < TAGS);
        broker.tickets[++broker.published % TAGS] = atoi(task + strlen("\"task\":"));
    }
    pthread_mutex_unlock(&broker.lock);
    return cut ? AMQP_STATUS_SOCKET_ERROR : AMQP_STATUS_OK;
}

amqp_queue_declare_ok_t *amqp_queue_declare(amqp_connection_state_t state, amqp_channel_t channel,
                                            amqp_bytes_t queue, amqp_boolean_t passive,
                                            amqp_boolean_t durable, amqp_boolean_t exclusive,
                                            amqp_boolean_t auto_delete, amqp_table_t arguments)
{
    static amqp_queue_declare_ok_t ok = {.message_count = 7, .consumer_count = 1};
    (void)state, (void)channel, (void)queue, (void)durable, (void)exclusive, (void)auto_delete;
    (void)arguments;
    CHECK(passive);
    return &ok;
}

void amqp_maybe_release_buffers_on_channel(amqp_connection_state_t state, amqp_channel_t channel)
{
    (void)state, (void)channel;
}

amqp_rpc_reply_t amqp_get_rpc_reply(amqp_connection_state_t state)
{
    (void)state;
    return (amqp_rpc_reply_t){.reply_type = AMQP_RESPONSE_NORMAL};
}

/* --- the broker's thread --- */

/* With the lock. */
static inline void say(struct frame frame)
{
    const uint64_t one = 1;
    CHECK(broker.len < FRAMES);
    broker.frames[(broker.first + broker.len++) % FRAMES] = frame;
    CHECK_INT(write(broker.fd, &one, sizeof one), sizeof one);
}

static inline void route(uint64_t tag)
{
    broker.on_routed(broker.tickets[tag % TAGS]);
}

/* Of what was published since the last time. */
static inline void settle_one(void)
{
    uint64_t tag = ++broker.settled, *dice = &broker.dice;
    if (stress_chance(dice, 30)) {
        broker.nacks++;
        say((struct frame){FRAME_NACK, tag, false});
    } else if (stress_chance(dice, 30)) {
        broker.returns++;
        say((struct frame){FRAME_RETURN, tag, false});
        say((struct frame){FRAME_ACK, tag, false});
    } else {
        route(tag);
        say((struct frame){FRAME_ACK, tag, false});
    }
}

static inline void settle_many(void)
{
    while (broker.settled < broker.published)
        route(++broker.settled);
    say((struct frame){FRAME_ACK, broker.settled, true});
}

static inline void cut(void)
{
    const uint64_t one = 1;
    broker.cuts++;
    broker.cut = true;
    CHECK_INT(write(broker.fd, &one, sizeof one), sizeof one);
}

/* Returns how long it is silent afterwards, in microseconds. */
static inline unsigned act(void)
{
    unsigned round = broker.rounds++;
    if (!broker.open || broker.cut)
        return 1000;
    if (round % CUT == 0)
        return cut(), 1000;
    if (round % CLOSE == 0)
        return say((struct frame){FRAME_CLOSE, 0, false}), 1000;
    if (round % TOGGLE_BLOCK == (broker.blocked ? 20 : 0)) {
        broker.blocked = !broker.blocked;
        broker.blocks += broker.blocked;
        say((struct frame){broker.blocked ? FRAME_BLOCK : FRAME_UNBLOCK, 0, false});
    }
    if (round % IN_BULK == 0 && broker.settled < broker.published)
        settle_many();
    for (int i = 0; i < 100 && broker.settled < broker.published; i++)
        settle_one();
    return round % SILENCE == 0 ? 700000 : 500; /* long enough for deadlines to pass */
}

static inline void *broker_thread(void *unused)
{
    (void)unused;
    for (bool ends = false; !ends;) {
        pthread_mutex_lock(&broker.lock);
        unsigned silent = act();
        ends = broker.ends;
        broker.enough = broker.rounds >= ROUNDS;
        pthread_mutex_unlock(&broker.lock);
        usleep(silent);
    }
    return NULL;
}

/* Whether enough has happened. */
static inline bool broker_is_done(void)
{
    pthread_mutex_lock(&broker.lock);
    bool done = broker.enough;
    pthread_mutex_unlock(&broker.lock);
    return done;
}

#endif
