/* How many connections there are, in all and from one address; shared by the lanes. */
#ifndef GATEWAY_EDGE_PEERS_H
#define GATEWAY_EDGE_PEERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct edge_peers;

/* An address as it is counted: an IPv4 address, or the /64 of an IPv6 one. */
struct edge_peer {
    uint64_t high, low;
};
struct edge_peer edge_peer_of(const struct sockaddr *address);

struct edge_peers *edge_peers_open(int64_t max_connections, int64_t max_per_address);
void edge_peers_free(struct edge_peers *peers);
/* Any thread. false: one too many, not counted. */
bool edge_peers_enter(struct edge_peers *peers, struct edge_peer peer);
void edge_peers_leave(struct edge_peers *peers, struct edge_peer peer);
int64_t edge_peers_count(struct edge_peers *peers);

#endif
