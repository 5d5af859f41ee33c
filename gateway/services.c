/* In the order in which they need each other; closed in the opposite one. */
#include "gateway/services.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "gateway/committer.h"
#include "gateway/job_reader.h"
#include "gateway/ready.h"
#include "gateway/usage_desk.h"

/* STORE_ANSWER: below REQUEST_ANSWER_MS, so that the store's silence is known when that has passed.
 */
enum { STORE_ANSWER_MS = 1500, PATIENT_CLIENTS = 5 };
/* Wrong credentials of one address that are answered in detail. */
enum { REFUSALS_PER_S = 20 };
enum { PREPARE_PAUSE_MS = 2000, WATCH_STEP_MS = 100, PUBLISHER_DRAIN_MS = 2000 };

/* A thread that makes the indexes as soon as the store answers, and says when the broker comes and
 * goes. */
struct watch {
    struct store *store;
    struct publisher *publisher;
    pthread_t thread;
    atomic_bool stopping;
    int64_t prepare_at;    /* monotonic; 0: done */
    bool told;             /* that the store does not answer */
    enum error broker_was; /* ERR_NONE: there */
};

static void prepare(struct watch *watch)
{
    struct err err = {0};
    if (!watch->prepare_at || clock_mono_ms() < watch->prepare_at)
        return;
    watch->prepare_at = clock_mono_ms() + PREPARE_PAUSE_MS;
    if (store_prepare(watch->store, &err) == 0) {
        log_event(LOG_INFO, "store-ready", NULL);
        watch->prepare_at = 0;
        return;
    }
    if (!watch->told)
        log_event(LOG_WARN, "store-unavailable", "detail", err.detail, "then", "trying again",
                  NULL);
    watch->told = true;
}

/* Arguments that the broker refuses are for a person to put right: an error, not a warning. */
static void look_at_broker(struct watch *watch)
{
    struct err err = {0};
    enum error is = publisher_check(watch->publisher, &err) ? err.code : ERR_NONE;
    if (is == watch->broker_was)
        return;
    if (is == ERR_CONFIG)
        log_event(LOG_ERROR, "broker-refuses", "detail", err.detail, NULL);
    else if (is != ERR_NONE)
        log_event(LOG_WARN, "broker-lost", "detail", err.detail, NULL);
    else
        log_event(LOG_INFO, "broker-connected", NULL);
    watch->broker_was = is;
}

static void *run_watch(void *arg)
{
    struct watch *watch = arg;
    while (!atomic_load(&watch->stopping)) {
        prepare(watch);
        look_at_broker(watch);
        clock_sleep_ms(WATCH_STEP_MS);
    }
    return NULL;
}

static struct watch *watch_open(struct store *store, struct publisher *publisher)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        abort();
    *watch = (struct watch){.store = store,
                            .publisher = publisher,
                            .prepare_at = 1,
                            .broker_was = ERR_BROKER_UNAVAILABLE}; /* it was not asked yet */
    if (pthread_create(&watch->thread, NULL, run_watch, watch))
        abort();
    return watch;
}

static void watch_free(struct watch *watch)
{
    if (!watch)
        return;
    atomic_store(&watch->stopping, true);
    pthread_join(watch->thread, NULL);
    free(watch);
}

static int open_stores(struct services *services, const struct store_settings *settings,
                       struct err *err)
{
    struct store_settings quick = *settings, patient = *settings;
    if (quick.server_timeout_ms > STORE_ANSWER_MS)
        quick.server_timeout_ms = STORE_ANSWER_MS;
    if (quick.socket_timeout_ms > STORE_ANSWER_MS)
        quick.socket_timeout_ms = STORE_ANSWER_MS;
    patient.pool_size = PATIENT_CLIENTS;
    return store_open(&services->store, &quick, "mediafleet-gateway", err) ||
                   store_open(&services->patient_store, &patient, "mediafleet-gateway", err)
               ? -1
               : 0;
}

int services_open(struct services *services, const struct options *options, struct err *err)
{
    const struct gateway_settings *gateway = &options->gateway;
    *services = (struct services){.gateway = gateway,
                                  .fleet = &options->fleet,
                                  .bucket = &options->bucket,
                                  .egress = options->policy,
                                  .rate = rate_open(gateway->rate_per_s),
                                  .refusals = rate_open(REFUSALS_PER_S),
                                  .ready = ready_open(),
                                  .metrics = metrics_open()};
    if (auth_open(&services->auth, &gateway->api_keys, gateway->jwt_secret, err) ||
        open_stores(services, &options->store, err) ||
        publisher_open(&services->publisher, options->fleet.amqp_url, "mediafleet-gateway", err) ||
        committer_open(&services->committer, services->store, services->publisher, &options->fleet,
                       (size_t)gateway->queue_limit, err) ||
        reconcile_open(&services->reconcile, services->patient_store, services->publisher,
                       options->fleet.lease_s * 1000, err)) {
        services_close(services);
        return -1;
    }
    services->job_reader = job_reader_open(services->store, (size_t)gateway->queue_limit);
    services->usage_desk = usage_desk_open(services);
    services->watch = watch_open(services->patient_store, services->publisher);
    return 0;
}

void services_stop_accepting(struct services *services)
{
    committer_free(services->committer);
    services->committer = NULL;
    job_reader_free(services->job_reader);
    services->job_reader = NULL;
}

void services_close(struct services *services)
{
    watch_free(services->watch);
    usage_desk_free(services->usage_desk);
    if (services->reconcile)
        reconcile_free(services->reconcile);
    job_reader_free(services->job_reader);
    if (services->committer)
        committer_free(services->committer);
    if (services->publisher)
        publisher_free(services->publisher, PUBLISHER_DRAIN_MS);
    store_free(services->store);
    store_free(services->patient_store);
    auth_free(services->auth);
    rate_free(services->rate);
    rate_free(services->refusals);
    ready_free(services->ready);
    metrics_free(services->metrics);
    *services = (struct services){0};
}
