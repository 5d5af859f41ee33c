/* The egress guard's address lists. */
#include "common/http_guard.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

/* IANA's special-purpose registries, and what runs through tunnels whose far end nobody here can
 * judge. */
static const char *const denied[] = {
    "0.0.0.0/8",     "10.0.0.0/8",      "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24",    "192.0.2.0/24",   "192.88.99.0/24", "192.168.0.0/16",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",    "240.0.0.0/4",
    "::/96",         "64:ff9b:1::/48",  "100::/64",       "2001::/23",      "2001:db8::/32",
    "2002::/16",     "3fff::/20",       "5f00::/16",      "fc00::/7",       "fe80::/10",
    "fec0::/10",     "ff00::/8",
};

/* Below it only what a policy lists: an exception for a host of ours opens none of its system
 * services. */
enum { UNPRIVILEGED = 1024 };

struct range {
    struct http_address base;
    unsigned bits;
};

static void from_ipv4(const void *bytes, struct http_address *out)
{
    *out = (struct http_address){.at = {[10] = 0xff, [11] = 0xff}};
    memcpy(out->at + 12, bytes, 4);
}

static void from_ipv6(const void *bytes, struct http_address *out)
{
    static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    memcpy(out->at, bytes, 16);
    /* A translator sends these to the IPv4 address inside, so that one counts. */
    if (memcmp(bytes, nat64, sizeof nat64) == 0)
        from_ipv4((const uint8_t *)bytes + 12, out);
}

static bool address_parse(const char *text, struct http_address *out, unsigned *width)
{
    uint8_t bytes[16];
    *width = 32;
    if (inet_pton(AF_INET, text, bytes) == 1) {
        from_ipv4(bytes, out);
        return true;
    }
    *width = 128;
    if (inet_pton(AF_INET6, text, bytes) != 1)
        return false;
    memcpy(out->at, bytes, 16);
    return true;
}

static bool range_parse(const char *text, struct range *out)
{
    char base[INET6_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    if (len >= sizeof base)
        return false;
    memcpy(base, text, len);
    base[len] = '\0';
    unsigned width;
    if (!address_parse(base, &out->base, &width))
        return false;
    unsigned long bits = width;
    if (slash) {
        char *end;
        bits = strtoul(slash + 1, &end, 10);
        if (end == slash + 1 || *end || slash[1] < '0' || slash[1] > '9' || bits > width)
            return false;
    }
    out->bits = (unsigned)bits + 128 - width;
    return true;
}

static bool range_holds(const struct range *range, const struct http_address *address)
{
    size_t whole = range->bits / 8;
    unsigned rest = range->bits % 8;
    if (memcmp(range->base.at, address->at, whole) != 0)
        return false;
    return rest == 0 || (range->base.at[whole] ^ address->at[whole]) >> (8 - rest) == 0;
}

static bool list_holds(const char *const *list, size_t len, const struct http_address *address)
{
    for (size_t i = 0; i < len; i++) {
        struct range range;
        if (range_parse(list[i], &range) && range_holds(&range, address))
            return true;
    }
    return false;
}

static void freeifaddrs_at(struct ifaddrs **list)
{
    freeifaddrs(*list);
}

/* Services of this machine listen on its public address, too. Asked each time: interfaces come and
 * go. */
static bool is_own(const struct http_address *address)
{
    CLEANUP(freeifaddrs_at) struct ifaddrs *list = NULL;
    if (getifaddrs(&list) != 0) {
        list = NULL;
        return true;
    }
    for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
        struct http_address own;
        int64_t port;
        if (i->ifa_addr && http_guard_from_sockaddr(i->ifa_addr, &own, &port) &&
            memcmp(&own, address, sizeof own) == 0)
            return true;
    }
    return false;
}

int http_guard_check_policy(const struct http_policy *policy, struct err *err)
{
    for (size_t i = 0; i < policy->allowed_cidrs_len; i++) {
        struct range range;
        if (!range_parse(policy->allowed_cidrs[i], &range))
            return err_set(err, ERR_CONFIG, "'%.60s' is not an address range such as 10.0.0.0/8",
                           policy->allowed_cidrs[i]);
    }
    for (size_t i = 0; i < policy->allowed_ports_len; i++)
        if (policy->allowed_ports[i] < 1 || policy->allowed_ports[i] > 65535)
            return err_set(err, ERR_CONFIG, "an allowed port must be 1 to 65535");
    return 0;
}

bool http_guard_from_sockaddr(const struct sockaddr *from, struct http_address *out, int64_t *port)
{
    if (from->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, from, sizeof in);
        from_ipv4(&in.sin_addr, out);
        *port = ntohs(in.sin_port);
        return true;
    }
    if (from->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, from, sizeof in6);
        from_ipv6(&in6.sin6_addr, out);
        *port = ntohs(in6.sin6_port);
        return true;
    }
    return false;
}

bool http_guard_from_text(const char *host, struct http_address *out)
{
    char text[INET6_ADDRSTRLEN + 2];
    size_t len = strlen(host);
    while (len > 0 && host[len - 1] == '.')
        len--;
    if (len > 1 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    }
    if (len == 0 || len >= sizeof text)
        return false;
    memcpy(text, host, len);
    text[len] = '\0';
    struct in_addr in;
    struct in6_addr in6;
    if (inet_aton(text, &in)) { /* the lenient one on purpose: it is what resolvers do */
        from_ipv4(&in, out);
        return true;
    }
    if (inet_pton(AF_INET6, text, &in6) != 1)
        return false;
    from_ipv6(&in6, out);
    return true;
}

bool http_guard_address(const struct http_policy *policy, const struct http_address *address)
{
    if (!policy->guarded || list_holds(policy->allowed_cidrs, policy->allowed_cidrs_len, address))
        return true;
    return !list_holds(denied, sizeof denied / sizeof denied[0], address) && !is_own(address);
}

bool http_guard_port(const struct http_policy *policy, const struct http_address *address,
                     int64_t port)
{
    if (!policy->guarded || port == 80 || port == 443)
        return true;
    if (address && port >= UNPRIVILEGED &&
        list_holds(policy->allowed_cidrs, policy->allowed_cidrs_len, address))
        return true;
    for (size_t i = 0; i < policy->allowed_ports_len; i++)
        if (policy->allowed_ports[i] == port)
            return true;
    return false;
}
