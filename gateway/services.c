/* In the order in which they need each other; closed in the opposite one. */
#include "gateway/services.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "gateway/committer.h"
#include "gateway/ready.h"

/* STORE_ANSWER: below REQUEST_ANSWER_MS, so that the store's silence is known when that has passed.
 */
enum { STORE_ANSWER_MS = 1500, PATIENT_CLIENTS = 4 };
/* Wrong credentials of one address that are answered in detail. */
enum { REFUSALS_PER_S = 20 };
enum { PREPARE_PAUSE_MS = 2000, PREPARE_STEP_MS = 100, PUBLISHER_DRAIN_MS = 2000 };

/* Makes the indexes as soon as the store answers. */
struct preparation {
    struct store *store;
    pthread_t thread;
    atomic_bool stopping;
};

static void *prepare(void *arg)
{
    struct preparation *preparation = arg;
    struct err err = {0};
    bool told = false;
    while (!atomic_load(&preparation->stopping)) {
        if (store_prepare(preparation->store, &err) == 0) {
            log_event(LOG_INFO, "store-ready", NULL);
            return NULL;
        }
        if (!told)
            log_event(LOG_WARN, "store-unavailable", "detail", err.detail, "then", "trying again",
                      NULL);
        told = true;
        for (int ms = 0; ms < PREPARE_PAUSE_MS && !atomic_load(&preparation->stopping);
             ms += PREPARE_STEP_MS)
            clock_sleep_ms(PREPARE_STEP_MS);
    }
    return NULL;
}

static struct preparation *preparation_open(struct store *store)
{
    struct preparation *preparation = calloc(1, sizeof *preparation);
    if (!preparation)
        abort();
    preparation->store = store;
    if (pthread_create(&preparation->thread, NULL, prepare, preparation))
        abort();
    return preparation;
}

static void preparation_free(struct preparation *preparation)
{
    if (!preparation)
        return;
    atomic_store(&preparation->stopping, true);
    pthread_join(preparation->thread, NULL);
    free(preparation);
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
        committer_open(&services->committer, services->store, services->publisher,
                       (size_t)gateway->queue_limit, err) ||
        reconcile_open(&services->reconcile, services->patient_store, services->publisher,
                       options->fleet.lease_s * 1000, err)) {
        services_close(services);
        return -1;
    }
    services->preparation = preparation_open(services->patient_store);
    return 0;
}

void services_stop_accepting(struct services *services)
{
    committer_free(services->committer);
    services->committer = NULL;
}

void services_close(struct services *services)
{
    preparation_free(services->preparation);
    if (services->reconcile)
        reconcile_free(services->reconcile);
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
