/* What a worker process says of itself every 5 s, in the collection `workers`. */
#ifndef PROTO_WORKER_BEAT_H
#define PROTO_WORKER_BEAT_H

#include "proto/doc.h"
#include "proto/kind.h"

#define WORKER_BEAT_COLLECTION "workers"
enum { WORKER_BEAT_MS = 5000, WORKER_DEAD_MS = 20000, WORKER_ID_MAX = 160 }; /* no beat for 20 s: offline */

struct worker_beat {
    const char *id; /* "<host>.<kind>.<pid>.<start ms, hex>": new for every process */
    const char *host;
    enum kind kind;
    int64_t pid, started_at, beat_at;
    bool draining;
    enum error paused; /* why it begins no task */
    int64_t slots, busy, unacked;
    struct strs active; /* "<job>/<task>", at most 16 */
    int64_t claimed, succeeded, failed, retried, released, crashes_seen; /* since it started */
    int64_t storage_retries;
    int64_t dropped, garbage; /* tickets */
    int64_t rss_bytes, cpu_ms, store_commands, disk_free_bytes;
    const char *version;
};
extern const struct doc worker_beat_doc;

#endif
