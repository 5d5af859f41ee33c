/* Relaxed atomics: a counter that is a moment behind is still a counter. */
#include "gateway/metrics.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { STATUS_MIN = 200, STATUS_COUNT = 320, BUCKET_COUNT = 10 };
static const int64_t bucket_ms[BUCKET_COUNT] = {1, 2, 5, 10, 20, 50, 100, 500, 2000, 10000};

/* [ROUTE_COUNT]: requests for which there is no route. */
struct metrics {
    _Atomic uint64_t requests[ROUTE_COUNT + 1][STATUS_COUNT];
    _Atomic uint64_t buckets[BUCKET_COUNT + 1], duration_ms; /* [BUCKET_COUNT]: longer than all */
    _Atomic uint64_t accepted, unqueued;
    _Atomic int64_t in_flight;
};

struct metrics *metrics_open(void)
{
    struct metrics *metrics = calloc(1, sizeof *metrics);
    if (!metrics)
        abort();
    return metrics;
}

void metrics_free(struct metrics *metrics)
{
    free(metrics);
}

static void add(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

static uint64_t read_counter(_Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void metrics_begin(struct metrics *metrics)
{
    atomic_fetch_add_explicit(&metrics->in_flight, 1, memory_order_relaxed);
}

void metrics_end(struct metrics *metrics, const struct route *route, int status, int64_t took_ms)
{
    size_t row = route ? (size_t)(route - routes) : ROUTE_COUNT, bucket = 0;
    if (status < STATUS_MIN || status >= STATUS_MIN + STATUS_COUNT)
        status = 500;
    while (bucket < BUCKET_COUNT && took_ms > bucket_ms[bucket])
        bucket++;
    add(&metrics->requests[row][status - STATUS_MIN], 1);
    add(&metrics->buckets[bucket], 1);
    add(&metrics->duration_ms, (uint64_t)took_ms);
    atomic_fetch_sub_explicit(&metrics->in_flight, 1, memory_order_relaxed);
}

void metrics_accept(struct metrics *metrics, bool queued)
{
    add(&metrics->accepted, 1);
    if (!queued)
        add(&metrics->unqueued, 1);
}

void metrics_family(struct text *out, const char *name, const char *type, const char *help)
{
    text_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_sample(struct text *out, const char *name, const char *labels, int64_t value)
{
    text_printf(out, "%s%s %" PRId64 "\n", name, labels, value);
}

static void print_requests(struct metrics *metrics, struct text *out)
{
    metrics_family(out, "mediafleet_http_requests_total", "counter", "Requests answered.");
    for (size_t row = 0; row <= ROUTE_COUNT; row++) {
        for (int status = 0; status < STATUS_COUNT; status++) {
            uint64_t count = read_counter(&metrics->requests[row][status]);
            if (count)
                text_printf(
                    out,
                    "mediafleet_http_requests_total{method=\"%s\",route=\"%s\",status=\"%d\"}"
                    " %" PRIu64 "\n",
                    row < ROUTE_COUNT ? routes[row].method : "",
                    row < ROUTE_COUNT ? routes[row].path : "none", status + STATUS_MIN, count);
        }
    }
}

static void print_durations(struct metrics *metrics, struct text *out)
{
    static const char name[] = "mediafleet_http_request_duration_seconds";
    uint64_t sum = 0;
    metrics_family(out, name, "histogram", "From the whole request to its answer.");
    for (size_t i = 0; i < BUCKET_COUNT; i++) {
        sum += read_counter(&metrics->buckets[i]);
        text_printf(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name, (double)bucket_ms[i] / 1000,
                    sum);
    }
    sum += read_counter(&metrics->buckets[BUCKET_COUNT]);
    text_printf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %g\n%s_count %" PRIu64 "\n", name,
                sum, name, (double)read_counter(&metrics->duration_ms) / 1000, name, sum);
}

void metrics_print(struct metrics *metrics, struct text *out)
{
    print_requests(metrics, out);
    print_durations(metrics, out);
    metrics_family(out, "mediafleet_http_in_flight", "gauge", "Requests being answered.");
    metrics_sample(out, "mediafleet_http_in_flight", "",
                   atomic_load_explicit(&metrics->in_flight, memory_order_relaxed));
    metrics_family(out, "mediafleet_jobs_accepted_total", "counter", "Jobs answered with 202.");
    metrics_sample(out, "mediafleet_jobs_accepted_total", "",
                   (int64_t)read_counter(&metrics->accepted));
    metrics_family(out, "mediafleet_jobs_unqueued_total", "counter",
                   "Of them those whose ticket was not confirmed in time.");
    metrics_sample(out, "mediafleet_jobs_unqueued_total", "",
                   (int64_t)read_counter(&metrics->unqueued));
}
