/* The last answer about the services, and who is looking for the next. */
#include "gateway/ready.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/clock.h"

struct ready {
    pthread_mutex_t mutex;
    pthread_cond_t looked;
    struct readiness last;
    int64_t at_ms; /* clock_mono_ms of `last` */
    bool known, looking;
};

struct ready *ready_open(void)
{
    struct ready *ready = calloc(1, sizeof *ready);
    if (!ready)
        abort();
    pthread_mutex_init(&ready->mutex, NULL);
    pthread_cond_init(&ready->looked, NULL);
    return ready;
}

void ready_free(struct ready *ready)
{
    if (!ready)
        return;
    pthread_cond_destroy(&ready->looked);
    pthread_mutex_destroy(&ready->mutex);
    free(ready);
}

struct readiness ready_ask(struct ready *ready, struct readiness (*look)(void *arg), void *arg)
{
    pthread_mutex_lock(&ready->mutex);
    while (ready->looking && !ready->known)
        pthread_cond_wait(&ready->looked, &ready->mutex);
    bool fresh = ready->known && clock_mono_ms() - ready->at_ms < READY_MS;
    if (!fresh && !ready->looking) {
        ready->looking = true;
        pthread_mutex_unlock(&ready->mutex);
        struct readiness found = look(arg);
        pthread_mutex_lock(&ready->mutex);
        ready->last = found;
        ready->at_ms = clock_mono_ms();
        ready->known = true;
        ready->looking = false;
        pthread_cond_broadcast(&ready->looked);
    }
    struct readiness last = ready->last;
    pthread_mutex_unlock(&ready->mutex);
    return last;
}
