/* Addresses: what is understood, what is refused, and that no error shows the password. */
#include "common/broker_link.h"

#include "check.h"

static void understands(const char *url, const char *host, int port, const char *vhost)
{
    struct broker_link link;
    struct err err = {0};
    CHECK(broker_link_init(&link, url, "test", &err) == 0);
    CHECK_STR(link.address.host, host);
    CHECK_INT(link.address.port, port);
    CHECK_STR(link.vhost, vhost);
    broker_link_release(&link);
}

static void urls(void)
{
    understands("amqp://127.0.0.1", "127.0.0.1", 5672, "/");
    understands("amqp://a:b@h:1/%2f", "h", 1, "/");
    understands("amqp://a:b@h:1/", "h", 1, "/");
    understands("amqp://a:b@h:1/media", "h", 1, "media");
    understands("amqps://a:b@h/media", "h", 5671, "media");
    understands("amqp://a:b@[::1]:9/x", "::1", 9, "x");
}

static void ca_file(void)
{
    struct broker_link link;
    struct err err = {0};
    CHECK(broker_link_init(&link, "amqps://h/v?cacertfile=/etc/ca.pem", "test", &err) == 0);
    CHECK_STR(link.ca_file, "/etc/ca.pem");
    CHECK_STR(link.vhost, "v");
    CHECK(link.address.ssl);
    broker_link_release(&link);
}

static void refuses_without_showing_the_password(void)
{
    static const char *const urls[] = {"http://a:geheim@h/v", "amqp://a:geheim@h:port/v",
                                       "a:geheim@h", "amqp://a:geheim@h/v?heartbeat=1", ""};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct broker_link link;
        struct err err = {0};
        CHECK(broker_link_init(&link, urls[i], "test", &err) == -1);
        CHECK_INT(err.code, ERR_CONFIG);
        CHECK(!strstr(err.detail, "geheim"));
    }
}

static void nobody_listens(void)
{
    struct broker_link link;
    struct err err = {0};
    CHECK(broker_link_init(&link, "amqp://a:geheim@127.0.0.1:1/v", "test", &err) == 0);
    CHECK(broker_link_connect(&link, &err) == -1);
    CHECK_INT(err.code, ERR_BROKER_UNAVAILABLE);
    CHECK(strstr(err.detail, "127.0.0.1:1"));
    CHECK(!strstr(err.detail, "geheim"));
    CHECK(link.backoff.pause_ms > 0);
    broker_link_release(&link);
}

int main(void)
{
    RUN(urls);
    RUN(ca_file);
    RUN(refuses_without_showing_the_password);
    RUN(nobody_listens);
    return 0;
}
