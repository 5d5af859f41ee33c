/* The workers' beats and the queues. */
#include <string.h>

#include "common/clock.h"
#include "gateway/handlers.h"
#include "proto/fleet_view.h"
#include "proto/transition.h"
#include "proto/worker_beat.h"

#define JOB_COLLECTION "jobs"
enum { BEATS_MAX = 1000, OLDEST_JOBS = 200 };

/* Kind by kind, because a filter is never empty. */
int api_worker_beats(struct api *api, struct arena *arena, struct worker_beat **out, size_t *len,
                     struct err *err)
{
    struct worker_beat *beats = arena_alloc_array(arena, BEATS_MAX, sizeof *beats);
    size_t count = 0;
    for (unsigned kind = 1; kind < KIND_COUNT && count < BEATS_MAX; kind++) {
        const struct worker_beat filter = {.kind = (enum kind)kind};
        const struct store_page page = {.filter = &filter, .limit = BEATS_MAX - count};
        void *found;
        size_t found_len;
        if (store_find(api->services->store, WORKER_BEAT_COLLECTION, &worker_beat_doc, &page, arena,
                       &found, &found_len, err))
            return -1;
        if (found_len > 0)
            memcpy(beats + count, found, found_len * sizeof *beats);
        count += found_len;
    }
    *out = beats;
    *len = count;
    return 0;
}

static enum worker_state state_of(const struct worker_beat *beat, int64_t now)
{
    if (now - beat->beat_at > WORKER_DEAD_MS)
        return WORKER_OFFLINE;
    return beat->draining ? WORKER_DRAINING : beat->paused ? WORKER_PAUSED : WORKER_ONLINE;
}

static struct worker_view view(const struct worker_beat *beat, int64_t now)
{
    return (struct worker_view){
        .id = beat->id,
        .host = beat->host,
        .kind = beat->kind,
        .state = state_of(beat, now),
        .paused = beat->paused,
        .pid = beat->pid,
        .started_at = beat->started_at,
        .beat_at = beat->beat_at,
        .slots = beat->slots,
        .busy = beat->busy,
        .active = beat->active,
        .claimed = beat->claimed,
        .succeeded = beat->succeeded,
        .failed = beat->failed,
        .retried = beat->retried,
        .released = beat->released,
        .crashes_seen = beat->crashes_seen,
        .rss_bytes = beat->rss_bytes,
        .cpu_ms = beat->cpu_ms,
        .disk_free_bytes = beat->disk_free_bytes,
        .version = beat->version,
    };
}

API_ANSWER(api_workers)
{
    (void)in;
    struct worker_page *page = out;
    struct worker_beat *beats;
    size_t len;
    int64_t now = clock_now_ms();
    if (api_worker_beats(api, &request->arena, &beats, &len, err))
        return -1;
    page->workers.len = len;
    page->workers.at = arena_alloc_array(&request->arena, len, sizeof *page->workers.at);
    for (size_t i = 0; i < len; i++)
        page->workers.at[i] = view(&beats[i], now);
    return 0;
}

/* For how long a task of each kind has been due, among the oldest live jobs. */
static int find_oldest(struct api *api, struct arena *arena, enum job_state state, int64_t now,
                       int64_t oldest_ms[KIND_COUNT], struct err *err)
{
    const struct job filter = {.state = state};
    const struct store_page page = {.filter = &filter, .limit = OLDEST_JOBS};
    void *found;
    size_t len;
    if (store_find(api->services->store, JOB_COLLECTION, &job_doc, &page, arena, &found, &len, err))
        return -1;
    const struct job *jobs = found;
    for (size_t i = 0; i < len; i++) {
        for (size_t task = 0; task < jobs[i].tasks.len; task++) {
            const struct task *at = &jobs[i].tasks.at[task];
            int64_t since = at->due_at ? at->due_at : jobs[i].created_at;
            if (job_due(&jobs[i], task, now) && now - since > oldest_ms[at->kind])
                oldest_ms[at->kind] = now - since;
        }
    }
    return 0;
}

/* The broker does not tell a client what others hold, but they do. */
static int find_unacked(struct api *api, struct arena *arena, int64_t now,
                        int64_t unacked[KIND_COUNT], struct err *err)
{
    struct worker_beat *beats;
    size_t len;
    if (api_worker_beats(api, arena, &beats, &len, err))
        return -1;
    for (size_t i = 0; i < len; i++)
        if (beats[i].kind < KIND_COUNT && now - beats[i].beat_at <= WORKER_DEAD_MS)
            unacked[beats[i].kind] += beats[i].unacked;
    return 0;
}

API_ANSWER(api_queues)
{
    (void)in;
    struct queue_page *page = out;
    int64_t now = clock_now_ms(), oldest_ms[KIND_COUNT] = {0}, unacked[KIND_COUNT] = {0};
    if (find_unacked(api, &request->arena, now, unacked, err) ||
        find_oldest(api, &request->arena, JOB_QUEUED, now, oldest_ms, err) ||
        find_oldest(api, &request->arena, JOB_RUNNING, now, oldest_ms, err))
        return -1;
    page->queues.at = arena_alloc_array(&request->arena, KIND_COUNT, sizeof *page->queues.at);
    for (unsigned kind = 1; kind < KIND_COUNT; kind++) {
        struct err unknown = {0};
        struct queue_depth depth = {0};
        bool known =
            publisher_connected(api->services->publisher) &&
            publisher_depth(api->services->publisher, (enum kind)kind, &depth, &unknown) == 0;
        page->queues.at[page->queues.len++] = (struct queue_view){
            .kind = (enum kind)kind,
            .queue = kinds[kind].queue,
            .known = known,
            .ready = depth.ready,
            .unacked = unacked[kind],
            .consumers = depth.consumers,
            .oldest_ms = oldest_ms[kind],
        };
    }
    return 0;
}
