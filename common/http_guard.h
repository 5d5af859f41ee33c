/* The egress guard: which addresses and ports requests on behalf of users may reach. Pure but for
 * own addresses. */
#ifndef COMMON_HTTP_GUARD_H
#define COMMON_HTTP_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/err.h"

/* The guard decides on the resolved address at connect time, so that no name can be rebound behind
 * its back. */
struct http_policy {
    bool guarded; /* refuse private, loopback, link-local, own … addresses and odd ports */
    const char *const *allowed_cidrs; /* exceptions, "127.0.0.0/8" or a single address */
    size_t allowed_cidrs_len;
    const int64_t *allowed_ports; /* beside 80 and 443 */
    size_t allowed_ports_len;
};

/* An IPv4 or IPv6 address in one form: IPv4 as ::ffff:a.b.c.d; those inside of NAT64 addresses too.
 */
struct http_address {
    uint8_t at[16];
};

/* ERR_CONFIG: a CIDR or a port of the policy is none. */
int http_guard_check_policy(const struct http_policy *policy, struct err *err);
/* false: neither IPv4 nor IPv6. */
bool http_guard_from_sockaddr(const struct sockaddr *from, struct http_address *out, int64_t *port);
/* A literal address in any spelling that a resolver takes: decimal, octal, hex, short, in brackets
 * or not, with a dot behind. false: a name. */
bool http_guard_from_text(const char *host, struct http_address *out);
bool http_guard_address(const struct http_policy *policy, const struct http_address *address);
/* An address that the policy names as an exception may be reached at any port from 1024 on. address
 * NULL: not known yet, a name. */
bool http_guard_port(const struct http_policy *policy, const struct http_address *address,
                     int64_t port);

#endif
