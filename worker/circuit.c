/* Denials: judged by a probe when they come, probed again until they end. */
#include "worker/circuit.h"

#include <sys/random.h>

#include "common/clock.h"

enum { PROBE_FIRST_MS = 1000, PROBE_MAX_MS = 30000 };

void circuit_init(struct circuit *circuit)
{
    *circuit = (struct circuit){.probes = {.first_ms = PROBE_FIRST_MS, .max_ms = PROBE_MAX_MS}};
    pthread_mutex_init(&circuit->lock, NULL);
}

static bool is_denial(enum error code)
{
    return code == ERR_STORAGE_AUTH || code == ERR_STORAGE_BUCKET;
}

static void postpone(struct circuit *circuit)
{
    uint32_t random = 0;
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        random = 0;
    backoff_fail(&circuit->probes, clock_mono_ms(), random);
}

bool circuit_opens(struct circuit *circuit, struct bucket *bucket, enum error code)
{
    struct err err = {0};
    if (!is_denial(code) || !bucket)
        return false;
    pthread_mutex_lock(&circuit->lock);
    bool open = atomic_load(&circuit->why) != ERR_NONE;
    if (!open && bucket_probe(bucket, &err)) {
        open = true;
        atomic_store(&circuit->why, code);
        postpone(circuit);
    }
    pthread_mutex_unlock(&circuit->lock);
    return open;
}

static int probe(const struct bucket_settings *settings, struct err *err)
{
    struct bucket *bucket = NULL;
    int failed = bucket_open(&bucket, settings, err) || bucket_probe(bucket, err);
    bucket_free(bucket);
    return failed ? -1 : 0;
}

enum error circuit_state(struct circuit *circuit, const struct bucket_settings *settings)
{
    struct err err = {0};
    if (atomic_load(&circuit->why) == ERR_NONE)
        return ERR_NONE;
    pthread_mutex_lock(&circuit->lock);
    if (backoff_left(&circuit->probes, clock_mono_ms()) == 0) {
        if (probe(settings, &err) == 0) {
            backoff_reset(&circuit->probes);
            atomic_store(&circuit->why, ERR_NONE);
        } else {
            if (is_denial(err.code))
                atomic_store(&circuit->why, err.code);
            postpone(circuit);
        }
    }
    pthread_mutex_unlock(&circuit->lock);
    return atomic_load(&circuit->why);
}
