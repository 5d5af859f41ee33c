/* Consuming from a real broker (AMQP_URL; skipped without): gathering, acks, rejects, and every way
 * to lose a channel. */
#include "common/broker.h"

#include <signal.h>

#include "amqp_test.h"
#include "common/publisher.h"

enum { MANY = 10000, GATHER = 64 };
#define JOB "01JD3ZZZZZ0123456789ABCDEF"
#define QUEUE "mediafleet.cleanup"

static struct delivery deliveries[GATHER];
static struct publisher *publisher;
static atomic_int confirmed_count;

static void count(void *arg, bool confirmed)
{
    (void)arg;
    if (confirmed)
        atomic_fetch_add(&confirmed_count, 1);
}

static void publish(int number)
{
    struct err err = {0};
    atomic_store(&confirmed_count, 0);
    for (int i = 0; i < number; i++) {
        struct publication ticket = {KIND_CLEANUP, JOB, i % 128, count, NULL};
        CHECK(publisher_send(publisher, &ticket, 1, &err) == 0);
    }
    AWAIT(atomic_load(&confirmed_count) == number);
}

static struct broker *open_broker(const char *url, uint16_t prefetch)
{
    struct broker *broker;
    struct err err = {0};
    CHECK(broker_open(&broker, url, QUEUE, prefetch, "broker-test", &err) == 0);
    return broker;
}

/* Until something comes, over lost connections. */
static int next(struct broker *broker)
{
    struct err err = {0};
    int got = 0;
    AWAIT((got = broker_next(broker, deliveries, GATHER, 500, 1, &err)) > 0);
    return got;
}

static void ack_all(struct broker *broker, int number)
{
    struct err err = {0};
    while (number > 0) {
        int got = next(broker);
        for (int i = 0; i < got; i++)
            CHECK(broker_ack(broker, &deliveries[i], &err) == 0);
        number -= got;
    }
    CHECK_INT(number, 0);
}

static int64_t ready(void)
{
    struct queue_depth depth;
    struct err err = {0};
    CHECK(publisher_depth(publisher, KIND_CLEANUP, &depth, &err) == 0);
    return depth.ready;
}

static void consumes_and_acks(void)
{
    struct broker *broker = open_broker(getenv("AMQP_URL"), 256);
    publish(MANY);
    int64_t since = clock_mono_ms();
    ack_all(broker, MANY);
    printf("# %d consumed and acknowledged in %d ms\n", MANY, (int)(clock_mono_ms() - since));
    broker_free(broker);
    CHECK_INT(ready(), 0);
}

static void body_is_the_ticket(void)
{
    struct broker *broker = open_broker(getenv("AMQP_URL"), 1);
    struct err err = {0};
    publish(1);
    CHECK_INT(next(broker), 1);
    const char should[] = "{\"v\":1,\"job\":\"" JOB "\",\"task\":0}";
    CHECK_INT(deliveries[0].len, sizeof should - 1);
    CHECK(memcmp(deliveries[0].body, should, sizeof should - 1) == 0);
    CHECK(!deliveries[0].redelivered);
    CHECK(broker_reject(broker, &deliveries[0], true, &err) == 0);
    CHECK_INT(next(broker), 1);
    CHECK(deliveries[0].redelivered);
    CHECK(broker_reject(broker, &deliveries[0], false, &err) == 0);
    CHECK_INT(broker_next(broker, deliveries, GATHER, 50, 0, &err), 0);
    broker_free(broker);
}

static void long_bodies_are_cut(void)
{
    static char body[300000];
    struct broker *broker = open_broker(getenv("AMQP_URL"), 1);
    struct broker_link link;
    struct err err = {0};
    memset(body, 'x', sizeof body);
    CHECK(broker_link_init(&link, getenv("AMQP_URL"), "test", &err) == 0);
    CHECK(broker_link_connect(&link, &err) == 0 && broker_link_channel(&link, 1, &err) == 0);
    CHECK(broker_link_declare(&link, 1, &err) == 0);
    for (size_t len = 0; len <= sizeof body; len += sizeof body) {
        amqp_basic_publish(link.state, 1, amqp_cstring_bytes("mediafleet"),
                           amqp_cstring_bytes(QUEUE), false, false, NULL,
                           (amqp_bytes_t){len, body});
        CHECK_INT(next(broker), 1);
        CHECK_INT(deliveries[0].len, len);
        CHECK(broker_ack(broker, &deliveries[0], &err) == 0);
    }
    CHECK(memcmp(deliveries[0].body, body, sizeof deliveries[0].body) == 0);
    broker_link_close(&link, true);
    broker_link_release(&link);
    broker_free(broker);
}

static void *wake_soon(void *broker)
{
    clock_sleep_ms(50);
    broker_wake(broker);
    return NULL;
}

static void another_thread_wakes(void)
{
    struct broker *broker = open_broker(getenv("AMQP_URL"), 1);
    struct err err = {0};
    pthread_t waker;
    CHECK_INT(broker_next(broker, deliveries, GATHER, 0, 0, &err), 0);
    CHECK(pthread_create(&waker, NULL, wake_soon, broker) == 0);
    int64_t since = clock_mono_ms();
    CHECK_INT(broker_next(broker, deliveries, GATHER, 30000, 0, &err), 0);
    CHECK(clock_mono_ms() - since < 20000);
    pthread_join(waker, NULL);
    broker_free(broker);
}

static void a_deleted_queue_comes_back(void)
{
    struct broker *broker = open_broker(getenv("AMQP_URL"), 10);
    struct err err = {0};
    publish(1);
    CHECK_INT(next(broker), 1);
    struct delivery old = deliveries[0];
    clock_sleep_ms(1100); /* a channel that closes sooner costs the connection */
    amqp_queue_verb(QUEUE, QUEUE_DELETE);
    AWAIT(broker_next(broker, deliveries, GATHER, 10, 0, &err) == 0 && broker_connected(broker));
    publish(2);
    ack_all(broker, 2);
    CHECK(old.epoch != deliveries[0].epoch);
    CHECK(broker_ack(broker, &old, &err) == 0);
    CHECK_INT(broker_next(broker, deliveries, GATHER, 50, 0, &err), 0);
    broker_free(broker);
}

/* Acknowledging twice is what makes the broker close a channel with 406, as the consumer timeout
 * does. */
static void a_closed_channel_is_opened_again(void)
{
    struct broker *broker = open_broker(getenv("AMQP_URL"), 10);
    struct err err = {0};
    publish(3);
    AWAIT(next(broker) == 3);
    clock_sleep_ms(1100);
    CHECK(broker_ack(broker, &deliveries[0], &err) == 0);
    CHECK(broker_ack(broker, &deliveries[0], &err) == 0);
    uint32_t epoch = deliveries[0].epoch;
    ack_all(broker, 2);
    CHECK_INT(deliveries[0].epoch, epoch + 1);
    CHECK(deliveries[0].redelivered);
    broker_free(broker);
    CHECK_INT(ready(), 0);
}

static void a_cut_connection_is_made_anew(void)
{
    char url[512];
    struct tcp_proxy proxy;
    struct err err = {0};
    proxy_start(&proxy, amqp_port());
    struct broker *broker = open_broker(amqp_url_through(proxy.port, url, sizeof url), 10);
    publish(5);
    int got = next(broker);
    struct delivery old = deliveries[0];
    CHECK(got >= 1 && broker_connected(broker));
    atomic_store(&proxy.mode, PROXY_CUT);
    AWAIT(broker_next(broker, deliveries, GATHER, 10, 0, &err) < 0);
    CHECK_INT(err.code, ERR_BROKER_UNAVAILABLE);
    CHECK(!broker_connected(broker));
    CHECK(broker_ack(broker, &old, &err) == 0);
    ack_all(broker, 5);
    broker_free(broker);
    proxy_stop(&proxy);
    CHECK_INT(ready(), 0);
}

static void cancel_leaves_the_rest(void)
{
    struct broker *broker = open_broker(getenv("AMQP_URL"), 3);
    struct err err = {0};
    publish(10);
    int got = next(broker);
    CHECK(broker_cancel(broker, &err) == 0);
    CHECK_INT(broker_next(broker, deliveries + got, 1, 50, 0, &err), 0);
    for (int i = 0; i < got; i++)
        CHECK(broker_ack(broker, &deliveries[i], &err) == 0);
    broker_free(broker);
    AWAIT(ready() == 10 - got);
    amqp_queue_verb(QUEUE, QUEUE_PURGE);
}

/* Needs no broker. */
static void without_a_broker_it_waits_and_says_why(void)
{
    struct broker *broker = open_broker("amqp://a:geheim@127.0.0.1:1", 1);
    for (int i = 0; i < 3; i++) {
        struct err err = {0};
        CHECK_INT(broker_next(broker, deliveries, GATHER, 10, 0, &err), -1);
        CHECK_INT(err.code, ERR_BROKER_UNAVAILABLE);
        CHECK(strstr(err.detail, "127.0.0.1:1") && !strstr(err.detail, "geheim"));
    }
    CHECK(!broker_connected(broker));
    broker_free(broker);
}

static void run_with_broker(void)
{
    struct err err = {0};
    CHECK(publisher_open(&publisher, getenv("AMQP_URL"), "broker-test", &err) == 0);
    AWAIT(publisher_connected(publisher));
    amqp_queue_verb(QUEUE, QUEUE_PURGE);
    RUN(consumes_and_acks);
    RUN(body_is_the_ticket);
    RUN(long_bodies_are_cut);
    RUN(another_thread_wakes);
    RUN(a_deleted_queue_comes_back);
    RUN(a_closed_channel_is_opened_again);
    RUN(a_cut_connection_is_made_anew);
    RUN(cancel_leaves_the_rest);
    publisher_free(publisher, 1000);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN(without_a_broker_it_waits_and_says_why);
    if (getenv("AMQP_URL"))
        run_with_broker();
    else
        printf("skip: AMQP_URL is not set\n");
    return 0;
}
