/* The publisher against a real broker (AMQP_URL; skipped without): confirms, lost queues, lost and
 * silent connections. */
#include "common/publisher.h"

#include <signal.h>

#include "amqp_test.h"

enum { MANY = 10000 };
#define JOB "01JD3ZZZZZ0123456789ABCDEF"
#define QUEUE "mediafleet.hello"

static atomic_int confirmed_count, refused_count;

static void count(void *arg, bool confirmed)
{
    (void)arg;
    atomic_fetch_add(confirmed ? &confirmed_count : &refused_count, 1);
}

static void send_tickets(struct publisher *publisher, int number)
{
    struct publication batch[100];
    struct err err = {0};
    for (int i = 0; i < 100; i++)
        batch[i] = (struct publication){KIND_HELLO, JOB, i, count, NULL};
    for (int left = number; left > 0; left -= 100)
        CHECK(publisher_send(publisher, batch, (size_t)(left < 100 ? left : 100), &err) == 0);
}

static int answered(void)
{
    return atomic_load(&confirmed_count) + atomic_load(&refused_count);
}

static void forget(void)
{
    atomic_store(&confirmed_count, 0);
    atomic_store(&refused_count, 0);
}

static struct publisher *open_publisher(const char *url)
{
    struct publisher *publisher;
    struct err err = {0};
    forget();
    CHECK(publisher_open(&publisher, url, "publisher-test", &err) == 0);
    AWAIT(publisher_connected(publisher));
    CHECK(publisher_check(publisher, &err) == 0);
    return publisher;
}

static int64_t ready(struct publisher *publisher)
{
    struct queue_depth depth;
    struct err err = {0};
    CHECK(publisher_depth(publisher, KIND_HELLO, &depth, &err) == 0);
    CHECK_INT(depth.consumers, 0);
    return depth.ready;
}

static void all_are_confirmed_and_there(void)
{
    struct publisher *publisher = open_publisher(getenv("AMQP_URL"));
    amqp_queue_verb(QUEUE, QUEUE_PURGE);
    CHECK_INT(ready(publisher), 0);
    int64_t since = clock_mono_ms();
    send_tickets(publisher, MANY);
    AWAIT(answered() == MANY);
    int64_t took = clock_mono_ms() - since;
    printf("# %d confirmed in %d ms\n", MANY, (int)took);
    CHECK_INT(atomic_load(&confirmed_count), MANY);
    CHECK_INT(ready(publisher), MANY);
    amqp_queue_verb(QUEUE, QUEUE_PURGE);
    publisher_free(publisher, 1000);
}

static void a_deleted_queue_comes_back(void)
{
    struct publisher *publisher = open_publisher(getenv("AMQP_URL"));
    amqp_queue_verb(QUEUE, QUEUE_DELETE);
    send_tickets(publisher, 300);
    AWAIT(answered() == 300);
    CHECK_INT(atomic_load(&confirmed_count), 300);
    CHECK_INT(ready(publisher), 300);
    amqp_queue_verb(QUEUE, QUEUE_DELETE);
    CHECK_INT(ready(publisher), 0); /* asking declares it, too */
    publisher_free(publisher, 1000);
}

static void free_drains_what_is_queued(void)
{
    struct publisher *publisher = open_publisher(getenv("AMQP_URL"));
    send_tickets(publisher, 1000);
    publisher_free(publisher, 10000);
    CHECK_INT(atomic_load(&confirmed_count), 1000);
    amqp_queue_verb(QUEUE, QUEUE_PURGE);
}

static void a_cut_connection_is_answered_and_made_anew(void)
{
    char url[512];
    struct tcp_proxy proxy;
    proxy_start(&proxy, amqp_port());
    struct publisher *publisher = open_publisher(amqp_url_through(proxy.port, url, sizeof url));
    for (int round = 0; round < 3; round++) {
        forget();
        send_tickets(publisher, 2000);
        atomic_store(&proxy.mode, PROXY_CUT);
        AWAIT(answered() == 2000);
        AWAIT(publisher_connected(publisher));
    }
    AWAIT(atomic_load(&proxy.mode) == PROXY_PASS);
    forget();
    do
        send_tickets(publisher, 1);
    while (clock_sleep_ms(20), atomic_load(&confirmed_count) == 0);
    publisher_free(publisher, 1000);
    proxy_stop(&proxy);
    amqp_queue_verb(QUEUE, QUEUE_PURGE);
}

static void a_silent_broker_is_not_waited_for(void)
{
    char url[512];
    struct tcp_proxy proxy;
    proxy_start(&proxy, amqp_port());
    struct publisher *publisher = open_publisher(amqp_url_through(proxy.port, url, sizeof url));
    atomic_store(&proxy.mode, PROXY_FREEZE);
    send_tickets(publisher, 5000);
    AWAIT(answered() == 5000);
    CHECK_INT(atomic_load(&confirmed_count), 0);
    struct queue_depth depth;
    struct err err = {0};
    CHECK(publisher_depth(publisher, KIND_HELLO, &depth, &err) == -1);
    CHECK_INT(err.code, ERR_BROKER_UNAVAILABLE);
    proxy_stop(&proxy);
    AWAIT(!publisher_connected(publisher));
    publisher_free(publisher, 0);
    amqp_queue_verb(QUEUE, QUEUE_PURGE);
}

/* Needs no broker. */
static void without_a_broker_all_is_refused_at_once(void)
{
    struct publisher *publisher;
    struct err err = {0};
    struct queue_depth depth;
    forget();
    CHECK(publisher_open(&publisher, "amqp://127.0.0.1:1", "publisher-test", &err) == 0);
    send_tickets(publisher, 1000);
    AWAIT(answered() == 1000);
    CHECK_INT(atomic_load(&refused_count), 1000);
    CHECK(publisher_depth(publisher, KIND_HELLO, &depth, &err) == -1);
    CHECK_INT(err.code, ERR_BROKER_UNAVAILABLE);
    CHECK(publisher_check(publisher, &err) == -1);
    CHECK(!publisher_connected(publisher) && !publisher_blocked(publisher));
    publisher_free(publisher, 1000);
}

static void nonsense_is_refused(void)
{
    struct publisher *publisher;
    struct err err = {0};
    CHECK(publisher_open(&publisher, "http://x", "publisher-test", &err) == -1);
    CHECK_INT(err.code, ERR_CONFIG);
    CHECK(publisher_open(&publisher, "amqp://127.0.0.1:1", "publisher-test", &err) == 0);
    struct publication bad[] = {{KIND_HELLO, "short", 0, count, NULL},
                                {KIND_NONE, JOB, 0, count, NULL}};
    forget();
    for (size_t i = 0; i < 2; i++)
        CHECK(publisher_send(publisher, &bad[i], 1, &err) == -1);
    publisher_free(publisher, 0);
    CHECK_INT(answered(), 0);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN(without_a_broker_all_is_refused_at_once);
    RUN(nonsense_is_refused);
    if (!getenv("AMQP_URL")) {
        printf("skip: AMQP_URL is not set\n");
        return 0;
    }
    RUN(all_are_confirmed_and_there);
    RUN(a_deleted_queue_comes_back);
    RUN(free_drains_what_is_queued);
    RUN(a_cut_connection_is_answered_and_made_anew);
    RUN(a_silent_broker_is_not_waited_for);
    return 0;
}
