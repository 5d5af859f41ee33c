/* An open-addressing table that never fills up, because the number of connections is bounded. */
#include "gateway/edge_peers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct place {
    struct edge_peer peer;
    int64_t count; /* 0: free */
};
struct edge_peers {
    pthread_mutex_t lock;
    int64_t max, max_per_address, count;
    size_t mask; /* places - 1, a power of two at least twice the maximum */
    struct place *places;
};

struct edge_peer edge_peer_of(const struct sockaddr *address)
{
    struct edge_peer peer = {0};
    if (address->sa_family == AF_INET) {
        peer.low = ((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr;
        peer.high = UINT64_C(0xFFFF);
    } else if (address->sa_family == AF_INET6) {
        const struct in6_addr *ip =
            &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(ip)) {
            uint32_t v4;
            memcpy(&v4, ip->s6_addr + 12, sizeof v4);
            peer = (struct edge_peer){.high = UINT64_C(0xFFFF), .low = v4};
        } else {
            memcpy(&peer.high, ip->s6_addr, sizeof peer.high);
        }
    }
    return peer;
}

struct edge_peers *edge_peers_open(int64_t max_connections, int64_t max_per_address)
{
    struct edge_peers *peers = calloc(1, sizeof *peers);
    size_t places = 2;
    while ((int64_t)places < 2 * max_connections)
        places *= 2;
    if (!peers || !(peers->places = calloc(places, sizeof *peers->places)))
        abort();
    pthread_mutex_init(&peers->lock, NULL);
    peers->max = max_connections;
    peers->max_per_address = max_per_address;
    peers->mask = places - 1;
    return peers;
}

void edge_peers_free(struct edge_peers *peers)
{
    if (!peers)
        return;
    pthread_mutex_destroy(&peers->lock);
    free(peers->places);
    free(peers);
}

static size_t home(const struct edge_peers *peers, struct edge_peer peer)
{
    uint64_t mixed =
        (peer.high ^ (peer.low + UINT64_C(0x9E3779B97F4A7C15))) * UINT64_C(0xBF58476D1CE4E5B9);
    return (size_t)(mixed ^ (mixed >> 31)) & peers->mask;
}

/* The address's place, or the free one where it would be. */
static size_t find(const struct edge_peers *peers, struct edge_peer peer)
{
    size_t i = home(peers, peer);
    while (peers->places[i].count > 0 &&
           (peers->places[i].peer.high != peer.high || peers->places[i].peer.low != peer.low))
        i = (i + 1) & peers->mask;
    return i;
}

/* Moves what stands behind a place that became free, so that no search ends too early there. */
static void close_gap(struct edge_peers *peers, size_t gap)
{
    for (size_t i = (gap + 1) & peers->mask; peers->places[i].count > 0;
         i = (i + 1) & peers->mask) {
        struct place moved = peers->places[i];
        peers->places[i].count = 0;
        peers->places[find(peers, moved.peer)] = moved;
    }
}

bool edge_peers_enter(struct edge_peers *peers, struct edge_peer peer)
{
    pthread_mutex_lock(&peers->lock);
    struct place *place = &peers->places[find(peers, peer)];
    bool room = peers->count < peers->max && place->count < peers->max_per_address;
    if (room) {
        place->peer = peer;
        place->count += 1;
        peers->count += 1;
    }
    pthread_mutex_unlock(&peers->lock);
    return room;
}

void edge_peers_leave(struct edge_peers *peers, struct edge_peer peer)
{
    pthread_mutex_lock(&peers->lock);
    size_t i = find(peers, peer);
    if (peers->places[i].count > 0) {
        peers->count -= 1;
        if (--peers->places[i].count == 0)
            close_gap(peers, i);
    }
    pthread_mutex_unlock(&peers->lock);
}

int64_t edge_peers_count(struct edge_peers *peers)
{
    pthread_mutex_lock(&peers->lock);
    int64_t count = peers->count;
    pthread_mutex_unlock(&peers->lock);
    return count;
}
