/* What stress programs share: threads that begin together, and a die that every thread throws for itself. */
#ifndef TESTS_STRESS_H
#define TESTS_STRESS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "check.h"

/* True about `pm` times in a thousand. state: the thread's own, never 0. */
static inline bool stress_chance(uint64_t *state, unsigned pm)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (*state >> 11) % 1000 < pm;
}

static inline uint64_t stress_seed(uint64_t number)
{
    return (number + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
}

static inline pthread_t stress_thread(void *(*body)(void *), void *arg)
{
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, body, arg), 0);
    return thread;
}

static inline void stress_join(pthread_t *threads, size_t len)
{
    for (size_t i = 0; i < len; i++)
        pthread_join(threads[i], NULL);
}

#endif
