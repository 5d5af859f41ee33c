/* Which addresses users' URLs may reach. */
#include "common/http_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "check.h"

static const struct http_policy guarded = {.guarded = true};

static bool allows(const struct http_policy *policy, const char *text)
{
    struct http_address address;
    if (!http_guard_from_text(text, &address)) {
        fprintf(stderr, "'%s' was not taken for an address\n", text);
        exit(1);
    }
    return http_guard_address(policy, &address);
}

static void private_addresses_are_refused(void)
{
    static const char *const bad[] = {
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.0.9",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.1",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "127.0.1",
        "0",
        "127.0.0.1.",
        "::",
        "::1",
        "[::1]",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:7f00:1",
        "[::ffff:169.254.169.254]",
        "64:ff9b::7f00:1",
        "[64:ff9b::a9fe:a9fe]",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:0:7f00:1::",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:808:808::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (allows(&guarded, bad[i])) {
            fprintf(stderr, "%s is allowed\n", bad[i]);
            CHECK(false);
        }
}

static void public_addresses_are_allowed(void)
{
    static const char *const good[] = {
        "1.1.1.1",        "8.8.8.8",          "100.63.255.255",  "100.128.0.1",
        "172.15.0.1",     "172.32.0.1",       "169.253.1.1",     "192.0.1.1",
        "198.20.0.1",     "223.255.255.254",  "2606:4700::1111", "2a00:1450:4001::1",
        "::ffff:8.8.8.8", "64:ff9b::808:808", "2001:4860::8888",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (!allows(&guarded, good[i])) {
            fprintf(stderr, "%s is refused\n", good[i]);
            CHECK(false);
        }
}

static void names_are_no_addresses(void)
{
    static const char *const names[] = {"localhost", "example.com",  "", "1.2.3.4.5", "[::1", "::g",
                                        "256.1.1.1", "fe80::1%eth0", "."};
    struct http_address address;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        CHECK(!http_guard_from_text(names[i], &address));
}

static void listed_ranges_are_exceptions(void)
{
    static const char *const cidrs[] = {"127.0.0.0/8", "fd00::/8", "10.1.2.3"};
    static const int64_t ports[] = {8080};
    struct http_policy policy = {true, cidrs, 3, ports, 1};
    struct err err = {0};
    CHECK_INT(http_guard_check_policy(&policy, &err), 0);
    CHECK(allows(&policy, "127.9.9.9"));
    CHECK(allows(&policy, "::ffff:127.0.0.1"));
    CHECK(allows(&policy, "fd12::1"));
    CHECK(allows(&policy, "10.1.2.3"));
    CHECK(!allows(&policy, "10.1.2.4"));
    CHECK(!allows(&policy, "::1"));
    CHECK(http_guard_port(&policy, NULL, 8080) && http_guard_port(&policy, NULL, 80));
    CHECK(http_guard_port(&policy, NULL, 443));
    CHECK(!http_guard_port(&policy, NULL, 22) && !http_guard_port(&policy, NULL, 8081));
    CHECK(!http_guard_port(&guarded, NULL, 8080));
}

static void an_exception_opens_its_high_ports_only(void)
{
    static const char *const cidrs[] = {"127.0.0.0/8"};
    struct http_policy policy = {true, cidrs, 1, NULL, 0};
    struct http_address ours, other;
    CHECK(http_guard_from_text("127.0.0.1", &ours) && http_guard_from_text("8.8.8.8", &other));
    CHECK(http_guard_port(&policy, &ours, 1024) && http_guard_port(&policy, &ours, 18999));
    CHECK(!http_guard_port(&policy, &ours, 22));
    CHECK(!http_guard_port(&policy, &other, 18999));
    CHECK(!http_guard_port(&policy, NULL, 18999));
}

static void ranges_that_are_none_are_refused(void)
{
    static const char *const bad[] = {
        "",       "10.0.0.0/33", "10.0.0/8",   "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x",
        "host/8", "10.0.0.0/ 8", "10.0.0.0/+8"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct http_policy policy = {
            .guarded = true, .allowed_cidrs = &bad[i], .allowed_cidrs_len = 1};
        struct err err = {0};
        CHECK_INT(http_guard_check_policy(&policy, &err), -1);
        CHECK_INT(err.code, ERR_CONFIG);
    }
}

static void socket_addresses_are_read(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(80)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(443)};
    struct sockaddr local = {.sa_family = AF_UNIX};
    struct http_address address;
    int64_t port;
    inet_pton(AF_INET, "10.0.0.1", &in.sin_addr);
    inet_pton(AF_INET6, "::ffff:10.0.0.1", &in6.sin6_addr);
    CHECK(http_guard_from_sockaddr((struct sockaddr *)&in, &address, &port));
    CHECK_INT(port, 80);
    CHECK(!http_guard_address(&guarded, &address));
    CHECK(http_guard_from_sockaddr((struct sockaddr *)&in6, &address, &port));
    CHECK_INT(port, 443);
    CHECK(!http_guard_address(&guarded, &address));
    CHECK(!http_guard_from_sockaddr(&local, &address, &port));
}

int main(void)
{
    RUN(private_addresses_are_refused);
    RUN(public_addresses_are_allowed);
    RUN(names_are_no_addresses);
    RUN(listed_ranges_are_exceptions);
    RUN(an_exception_opens_its_high_ports_only);
    RUN(ranges_that_are_none_are_refused);
    RUN(socket_addresses_are_read);
    return 0;
}
