/* GET /metrics: the gateway's own counters, its services', and the workers' summed up from their
 * beats. */
#include <inttypes.h>

#include "common/clock.h"
#include "common/process.h"
#include "gateway/committer.h"
#include "gateway/handlers.h"
#include "proto/worker_beat.h"

static void print_queues(const struct services *services, struct arena *arena, struct text *text)
{
    struct queue_depth depths[KIND_COUNT] = {0};
    bool known[KIND_COUNT] = {false};
    struct err err = {0};
    for (unsigned kind = KIND_NONE; kind < KIND_COUNT && publisher_connected(services->publisher);
         kind++)
        known[kind] =
            publisher_depth(services->publisher, (enum kind)kind, &depths[kind], &err) == 0;
    metrics_family(text, "mediafleet_queue_ready", "gauge", "Tickets that wait for a worker.");
    for (unsigned kind = 1; kind < KIND_COUNT; kind++)
        if (known[kind])
            metrics_sample(text, "mediafleet_queue_ready",
                           arena_printf(arena, "{kind=\"%s\"}", kinds[kind].name),
                           depths[kind].ready);
    metrics_family(text, "mediafleet_dead_ready", "gauge", "Messages that no worker could read.");
    if (known[KIND_NONE])
        metrics_sample(text, "mediafleet_dead_ready", "", depths[KIND_NONE].ready);
    metrics_family(text, "mediafleet_queue_consumers", "gauge", "Consumers of the queue.");
    for (unsigned kind = 1; kind < KIND_COUNT; kind++)
        if (known[kind])
            metrics_sample(text, "mediafleet_queue_consumers",
                           arena_printf(arena, "{kind=\"%s\"}", kinds[kind].name),
                           depths[kind].consumers);
}

static void print_services(const struct services *services, struct text *text)
{
    struct reconcile_counts counts = reconcile_counts(services->reconcile);
    const struct {
        const char *name, *type, *help;
        int64_t value;
    } rows[] = {
        {"mediafleet_store_commands_total", "counter", "Commands sent to the store.",
         store_commands(services->store)},
        {"mediafleet_publisher_connected", "gauge", "1: connected to the broker.",
         publisher_connected(services->publisher)},
        {"mediafleet_publisher_blocked", "gauge", "1: the broker takes no messages.",
         publisher_blocked(services->publisher)},
        {"mediafleet_reconcile_looked_total", "counter", "Jobs whose alarm had passed.",
         counts.looked},
        {"mediafleet_reconcile_expired_total", "counter", "Leases and waits that had ended.",
         counts.expired},
        {"mediafleet_reconcile_published_total", "counter", "Tickets published again.",
         counts.published},
        {"mediafleet_reconcile_conflicts_total", "counter", "Jobs that others changed first.",
         counts.conflicts},
        {"mediafleet_reconcile_failures_total", "counter", "Passes that the store did not answer.",
         counts.failures},
        {"mediafleet_gateway_rss_bytes", "gauge", "Resident memory.", process_rss_bytes()},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        metrics_family(text, rows[i].name, rows[i].type, rows[i].help);
        metrics_sample(text, rows[i].name, "", rows[i].value);
    }
}

static void print_batches(const struct services *services, struct text *text)
{
    static const char name[] = "mediafleet_commit_batch_posts";
    struct commit_sizes sizes = committer_sizes(services->committer);
    int64_t sum = 0;
    metrics_family(text, name, "histogram", "Posts that were written to the store together.");
    for (size_t i = 0; i < COMMIT_SIZES; i++) {
        sum += sizes.batches[i];
        text_printf(text, "%s_bucket{le=\"%d\"} %" PRId64 "\n", name, 1 << i, sum);
    }
    text_printf(text,
                "%s_bucket{le=\"+Inf\"} %" PRId64 "\n%s_sum %" PRId64 "\n%s_count %" PRId64 "\n",
                name, sum, name, sizes.posts, name, sum);
}

/* What is summed up: a member of the beat. */
static const struct {
    const char *name, *type, *help;
    size_t offset;
} sums[] = {
#define SUM(wire, type, help, member)                                                              \
    {                                                                                              \
        "mediafleet_worker_" wire, type, help, offsetof(struct worker_beat, member)                \
    }
    SUM("slots", "gauge", "Tasks that the live workers can run at once.", slots),
    SUM("busy", "gauge", "Tasks that they run.", busy),
    SUM("claimed_total", "counter", "Runs claimed.", claimed),
    SUM("succeeded_total", "counter", "Runs that succeeded.", succeeded),
    SUM("failed_total", "counter", "Runs that failed for good.", failed),
    SUM("retried_total", "counter", "Runs that failed and are tried again.", retried),
    SUM("released_total", "counter", "Runs handed back.", released),
    SUM("crashes_seen_total", "counter", "Tasks taken over from dead workers.", crashes_seen),
    SUM("storage_retries_total", "counter", "Requests sent to the bucket again.", storage_retries),
    SUM("dropped_total", "counter", "Tickets out of date or repeated, without effect.", dropped),
    SUM("garbage_total", "counter", "Tickets that could not be read.", garbage),
    SUM("rss_bytes", "gauge", "Resident memory.", rss_bytes),
    SUM("cpu_ms_total", "counter", "CPU time.", cpu_ms),
    SUM("store_commands_total", "counter", "Commands sent to the store.", store_commands),
#undef SUM
};

static void print_by_kind(struct text *text, const char *family, const int64_t values[KIND_COUNT],
                          struct arena *arena)
{
    for (unsigned kind = 1; kind < KIND_COUNT; kind++)
        metrics_sample(text, family, arena_printf(arena, "{kind=\"%s\"}", kinds[kind].name),
                       values[kind]);
}

static void print_workers(const struct worker_beat *beats, size_t len, int64_t now,
                          struct arena *arena, struct text *text)
{
    int64_t live[KIND_COUNT] = {0}, paused[KIND_COUNT] = {0};
    for (size_t i = 0; i < len; i++) {
        bool lives = now - beats[i].beat_at <= WORKER_DEAD_MS;
        live[beats[i].kind] += lives;
        paused[beats[i].kind] += lives && beats[i].paused;
    }
    metrics_family(text, "mediafleet_workers", "gauge", "Processes with a beat within 20 s.");
    print_by_kind(text, "mediafleet_workers", live, arena);
    metrics_family(
        text, "mediafleet_workers_paused", "gauge",
        "Of them, those that begin no task: no room in the workspace, a bucket that denies.");
    print_by_kind(text, "mediafleet_workers_paused", paused, arena);
    for (size_t row = 0; row < sizeof sums / sizeof sums[0]; row++) {
        int64_t total[KIND_COUNT] = {0};
        for (size_t i = 0; i < len; i++)
            if (now - beats[i].beat_at <= WORKER_DEAD_MS)
                total[beats[i].kind] +=
                    *(const int64_t *)(const void *)((const char *)&beats[i] + sums[row].offset);
        metrics_family(text, sums[row].name, sums[row].type, sums[row].help);
        print_by_kind(text, sums[row].name, total, arena);
    }
}

/* Without the store there are no workers to sum up; the rest is told all the same. */
API_ANSWER(api_metrics)
{
    (void)in;
    (void)out;
    (void)err;
    struct text *text = &request->reply.body;
    struct worker_beat *beats;
    struct err unknown = {0};
    size_t len;
    *text = (struct text){.arena = &request->arena};
    metrics_print(api->services->metrics, text);
    print_services(api->services, text);
    print_batches(api->services, text);
    print_queues(api->services, &request->arena, text);
    if (api_worker_beats(api, &request->arena, &beats, &len, &unknown) == 0)
        print_workers(beats, len, clock_now_ms(), &request->arena, text);
    request->reply.status = 200;
    request->reply.content_type = request->route->content_type;
    return 0;
}
