/* What tests with a real broker share: AMQP_URL, its variant through a proxy, and operations behind
 * the fleet's back. */
#ifndef TESTS_AMQP_TEST_H
#define TESTS_AMQP_TEST_H

#include "common/broker_link.h"
#include "common/clock.h"
#include "tcp_proxy.h"

/* AMQP_URL with another port; it must be of the form amqp://…:PORT/VHOST. */
static inline const char *amqp_url_through(uint16_t to, char *out, size_t room)
{
    const char *url = getenv("AMQP_URL"), *port = strrchr(url, ':'), *vhost = strrchr(url, '/');
    CHECK(port && vhost && vhost > port);
    snprintf(out, room, "%.*s:%d%s", (int)(port - url), url, to, vhost);
    return out;
}
static inline uint16_t amqp_port(void)
{
    const char *port = strrchr(getenv("AMQP_URL"), ':');
    CHECK(port);
    return (uint16_t)strtoul(port + 1, NULL, 10);
}

enum queue_verb { QUEUE_PURGE, QUEUE_DELETE };
static inline void amqp_queue_verb(const char *queue, enum queue_verb verb)
{
    struct broker_link link;
    struct err err = {0};
    CHECK(broker_link_init(&link, getenv("AMQP_URL"), "test", &err) == 0);
    CHECK(broker_link_connect(&link, &err) == 0);
    CHECK(broker_link_channel(&link, 1, &err) == 0);
    CHECK(broker_link_declare(&link, 1, &err) == 0);
    if (verb == QUEUE_PURGE)
        amqp_queue_purge(link.state, 1, amqp_cstring_bytes(queue));
    else
        amqp_queue_delete(link.state, 1, amqp_cstring_bytes(queue), false, false);
    CHECK(broker_link_replied(&link, 1, "queue verb", &err) == 0);
    broker_link_close(&link, true);
    broker_link_release(&link);
}

/* Waits until the condition holds; the test's own limit ends what never does. */
#define AWAIT(condition)                                                                           \
    do {                                                                                           \
        for (int64_t since_ = clock_mono_ms(); !(condition); clock_sleep_ms(5))                    \
            CHECK(clock_mono_ms() - since_ < 30000);                                               \
    } while (0)

#endif
