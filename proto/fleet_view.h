/* How the fleet looks to a client: workers, queues, health. */
#ifndef PROTO_FLEET_VIEW_H
#define PROTO_FLEET_VIEW_H

#include "proto/kind.h"

struct queue_view {
    enum kind kind;
    const char *queue;
    bool known; /* the broker answered */
    int64_t ready, unacked, consumers, oldest_ms;
};
struct queue_views {
    struct queue_view *at;
    size_t len;
};
struct queue_page {
    struct queue_views queues;
};

/* A worker's last beat, judged by its age. */
enum worker_state { WORKER_NONE, WORKER_ONLINE, WORKER_DRAINING, WORKER_OFFLINE, WORKER_PAUSED };
struct worker_view {
    const char *id, *host;
    enum kind kind;
    enum worker_state state;
    enum error paused;
    int64_t pid, started_at, beat_at, slots, busy;
    struct strs active;
    int64_t claimed, succeeded, failed, retried, released, crashes_seen;
    int64_t rss_bytes, cpu_ms, disk_free_bytes;
    const char *version;
};
struct worker_views {
    struct worker_view *at;
    size_t len;
};
struct worker_page {
    struct worker_views workers;
};

/* GET /readyz: one row per service. */
struct service_check {
    bool ok;
    const char *why;
};
struct readiness {
    bool ready;
    struct service_check broker, store, bucket, disk;
};
struct health {
    const char *status, *version;
};

extern const struct doc queue_view_doc, queue_page_doc, worker_view_doc, worker_page_doc, service_check_doc,
    readiness_doc, health_doc;

#endif
