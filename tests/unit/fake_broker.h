/* The broker's door: one queue of tickets; what was not acknowledged comes again after a break. For
 * programs of one file. */
#ifndef TESTS_FAKE_BROKER_H
#define TESTS_FAKE_BROKER_H

#include "check.h"

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "common/broker.h"

enum { FAKE_TICKETS = 16384 };

static struct {
    pthread_mutex_t lock;
    struct {
        char body[128];
        enum { FAKE_READY, FAKE_OUT, FAKE_GONE } state;
    } tickets[FAKE_TICKETS];
    size_t len, out;
    uint16_t prefetch;
    uint32_t epoch;
    bool cancelled;
    int calls, wakes, acked, rejected, requeued;
} fake_broker = {.lock = PTHREAD_MUTEX_INITIALIZER, .prefetch = 256, .epoch = 1};

static inline void fake_ticket(const char *job, int64_t task)
{
    pthread_mutex_lock(&fake_broker.lock);
    CHECK(fake_broker.len < FAKE_TICKETS);
    snprintf(fake_broker.tickets[fake_broker.len++].body, sizeof fake_broker.tickets[0].body,
             "{\"v\":1,\"job\":\"%s\",\"task\":%d}", job, (int)task);
    pthread_mutex_unlock(&fake_broker.lock);
}

/* The connection breaks: a new channel, and everything comes again. */
static inline void fake_break(void)
{
    pthread_mutex_lock(&fake_broker.lock);
    fake_broker.epoch++;
    fake_broker.out = 0;
    for (size_t i = 0; i < fake_broker.len; i++)
        if (fake_broker.tickets[i].state == FAKE_OUT)
            fake_broker.tickets[i].state = FAKE_READY;
    pthread_mutex_unlock(&fake_broker.lock);
}

int broker_open(struct broker **out, const char *amqp_url, const char *queue, uint16_t prefetch,
                const char *app, struct err *err)
{
    (void)amqp_url, (void)queue, (void)app, (void)err;
    fake_broker.prefetch = prefetch;
    *out = NULL;
    return 0;
}

void broker_free(struct broker *broker)
{
    (void)broker;
}

int broker_next(struct broker *broker, struct delivery *out, size_t len, int wait_ms, int gather_ms,
                struct err *err)
{
    (void)broker, (void)gather_ms, (void)err;
    size_t n = 0;
    pthread_mutex_lock(&fake_broker.lock);
    fake_broker.calls++;
    for (size_t i = 0; i < fake_broker.len && n < len && !fake_broker.cancelled; i++) {
        if (fake_broker.tickets[i].state != FAKE_READY || fake_broker.out >= fake_broker.prefetch)
            continue;
        fake_broker.tickets[i].state = FAKE_OUT;
        fake_broker.out++;
        out[n] = (struct delivery){.tag = i, .epoch = fake_broker.epoch};
        out[n].len = strlen(fake_broker.tickets[i].body);
        memcpy(out[n].body, fake_broker.tickets[i].body, out[n].len);
        n++;
    }
    pthread_mutex_unlock(&fake_broker.lock);
    if (n == 0 && len > 0 && wait_ms > 0)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return (int)n;
}

void broker_wake(struct broker *broker)
{
    (void)broker;
    pthread_mutex_lock(&fake_broker.lock);
    fake_broker.wakes++;
    pthread_mutex_unlock(&fake_broker.lock);
}

static inline int fake_end(const struct delivery *delivery, bool again, int *counter)
{
    pthread_mutex_lock(&fake_broker.lock);
    if (delivery->epoch == fake_broker.epoch && delivery->tag < fake_broker.len) {
        CHECK_INT(fake_broker.tickets[delivery->tag].state, FAKE_OUT); /* each is ended once */
        fake_broker.tickets[delivery->tag].state = again ? FAKE_READY : FAKE_GONE;
        fake_broker.out--;
    }
    ++*counter;
    pthread_mutex_unlock(&fake_broker.lock);
    return 0;
}

void broker_gather(struct broker *broker, _Bool gather)
{
    (void)broker, (void)gather;
}

int broker_ack(struct broker *broker, const struct delivery *delivery, struct err *err)
{
    (void)broker, (void)err;
    return fake_end(delivery, false, &fake_broker.acked);
}

int broker_reject(struct broker *broker, const struct delivery *delivery, _Bool requeue,
                  struct err *err)
{
    (void)broker, (void)err;
    return fake_end(delivery, requeue, requeue ? &fake_broker.requeued : &fake_broker.rejected);
}

int broker_cancel(struct broker *broker, struct err *err)
{
    (void)broker, (void)err;
    pthread_mutex_lock(&fake_broker.lock);
    fake_broker.cancelled = true;
    pthread_mutex_unlock(&fake_broker.lock);
    return 0;
}

_Bool broker_connected(const struct broker *broker)
{
    (void)broker;
    return true;
}

#endif
