/* Garbage goes out by the publisher: a connection that publishes stands still while the broker is
 * short of memory, and the consumer's must not. */
#include "worker/dead.h"

#include <stdlib.h>

#include "common/log.h"

struct burial {
    struct runtime *runtime;
    struct delivery delivery;
    struct dead_letter letter;
    struct err why;
    bool confirmed;
    struct burial *next;
};

static void reject(struct runtime *runtime, const struct delivery *delivery)
{
    struct err err = {0};
    if (broker_reject(runtime->broker, delivery, false, &err))
        log_event(LOG_WARN, "reject-failed", "detail", err.detail, NULL); /* it comes again */
}

/* The publisher's thread. */
static void on_answer(void *arg, bool confirmed)
{
    struct burial *burial = arg;
    struct runtime *runtime = burial->runtime;
    burial->confirmed = confirmed;
    burial->next = atomic_load(&runtime->buried);
    while (!atomic_compare_exchange_weak(&runtime->buried, &burial->next, burial))
        ;
    broker_wake(runtime->broker);
}

void dead_bury(struct runtime *runtime, const struct delivery *delivery, const struct err *why)
{
    struct err err = {0};
    struct burial *burial = calloc(1, sizeof *burial);
    if (!burial)
        abort();
    atomic_fetch_add(&runtime->counters.garbage, 1);
    log_event(LOG_WARN, "garbage-ticket", "code", error_name(why->code), "detail", why->detail,
              NULL);
    burial->runtime = runtime;
    burial->delivery = *delivery;
    burial->why = *why;
    err_prefix(&burial->why, why->pointer[0] ? "%s at %s" : "%s", error_name(why->code),
               why->pointer);
    burial->letter = (struct dead_letter){
        .body = burial->delivery.body,
        .len = delivery->len < sizeof delivery->body ? delivery->len : sizeof delivery->body,
        .bytes = (int64_t)delivery->len,
        .queue = runtime->kind->queue,
        .reason = burial->why.detail,
        .worker = runtime->id,
        .done = on_answer,
        .arg = burial,
    };
    if (publisher_bury(runtime->publisher, &burial->letter, &err)) {
        reject(runtime, delivery);
        free(burial);
    }
}

void dead_acknowledge(struct runtime *runtime)
{
    struct burial *burial = atomic_exchange(&runtime->buried, NULL);
    while (burial) {
        struct burial *next = burial->next;
        struct err err = {0};
        if (!burial->confirmed)
            reject(runtime, &burial->delivery);
        else if (broker_ack(runtime->broker, &burial->delivery, &err))
            log_event(LOG_WARN, "ack-failed", "detail", err.detail, NULL);
        free(burial);
        burial = next;
    }
}
