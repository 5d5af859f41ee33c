/* A list of requests and a thread that scans for them, if no other gateway does. */
#include "gateway/usage_desk.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/id.h"
#include "common/lease.h"
#include "common/log.h"
#include "common/usage.h"
#include "gateway/usage_reply.h"

enum {
    SCAN_MS = 300000, /* of the whole bucket; 100,000 objects take some ten seconds */
    CALL_MS = 10000,  /* a page */
    LEASE_MS = 30000, /* longer than a page, so that who lives keeps it */
    RENEW_MS = 5000,
    LOOK_MS = 200, /* how often to look whether another gateway has finished */
    WHO_LEN = 16
};

struct usage_desk {
    struct services *services;
    pthread_t thread;
    pthread_mutex_t lock; /* of the following */
    pthread_cond_t changed;
    struct request *first, **end;
    size_t waiting;
    int64_t known_at; /* a later scan than that answers all that wait */
    bool closing;

    /* The thread's own. */
    struct bucket *bucket;
    struct bucket_watch watch;
    char who[WHO_LEN + 1];
    int64_t until_mono, renewed_mono;
    struct arena arena;
};

static bool is_ending(const struct usage_desk *desk)
{
    return atomic_load_explicit(&desk->services->draining, memory_order_relaxed);
}

static bool stopped(void *arg)
{
    return is_ending(arg);
}

static int check_time(struct usage_desk *desk, struct err *err)
{
    if (is_ending(desk))
        return err_set(err, ERR_SHUTTING_DOWN, "this gateway is shutting down");
    if (clock_mono_ms() >= desk->until_mono)
        return err_set(err, ERR_STORAGE_TIMEOUT, "not scanned within %d s", SCAN_MS / 1000);
    return 0;
}

/* Somebody else may have the lease by now, if we were slow: two scans, and no harm done. */
static int step(void *arg, struct err *err)
{
    struct usage_desk *desk = arg;
    if (check_time(desk, err))
        return -1;
    if (clock_mono_ms() - desk->renewed_mono < RENEW_MS)
        return 0;
    desk->renewed_mono = clock_mono_ms();
    return lease_take(desk->services->patient_store, usage_lease_id(desk->bucket, &desk->arena),
                      desk->who, LEASE_MS, err) < 0
               ? -1
               : 0;
}

static int64_t known_at(struct usage_desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    int64_t known = desk->known_at;
    pthread_mutex_unlock(&desk->lock);
    return known;
}

/* 0: `out` will do for all that wait; 1: it will not. */
static int look(struct usage_desk *desk, struct bucket_usage *out, struct err *err)
{
    if (usage_last(desk->services->patient_store, desk->bucket, &desk->arena, out, err))
        return -1;
    return out->scanned_at <= known_at(desk);
}

/* The lease is ours. */
static int scan(struct usage_desk *desk, struct bucket_usage *out, struct err *err)
{
    struct store *store = desk->services->patient_store;
    const struct usage_watch watch = {step, desk};
    struct err left = {0};
    int answer = look(desk, out, err); /* another gateway may have finished just now */
    desk->renewed_mono = clock_mono_ms();
    if (answer == 1)
        answer = usage_snapshot(store, desk->bucket, &watch, &desk->arena, out, err);
    if (lease_drop(store, usage_lease_id(desk->bucket, &desk->arena), desk->who, &left))
        log_event(LOG_WARN, "usage-lease-left", "detail", left.detail, NULL);
    return answer;
}

static int open_bucket(struct usage_desk *desk, struct err *err)
{
    if (desk->bucket)
        return 0;
    if (bucket_open(&desk->bucket, desk->services->bucket, err))
        return -1;
    desk->watch = (struct bucket_watch){.stopped = stopped, .arg = desk};
    bucket_set_patience(desk->bucket, CALL_MS);
    bucket_set_watch(desk->bucket, &desk->watch);
    return 0;
}

/* A scan that is new enough: known, ours, or another gateway's. */
static int find(struct usage_desk *desk, struct bucket_usage *out, struct err *err)
{
    struct store *store = desk->services->patient_store;
    if (open_bucket(desk, err))
        return -1;
    desk->until_mono = clock_mono_ms() + SCAN_MS;
    const char *lease = usage_lease_id(desk->bucket, &desk->arena);
    for (;;) {
        int answer = look(desk, out, err);
        if (answer <= 0)
            return answer;
        int taken = lease_take(store, lease, desk->who, LEASE_MS, err);
        if (taken < 0)
            return -1;
        if (taken == 0)
            return scan(desk, out, err);
        if (check_time(desk, err))
            return -1;
        clock_sleep_ms(LOOK_MS);
    }
}

/* Who came while the scan went on is answered, too. */
static void answer_all(struct usage_desk *desk, const struct bucket_usage *usage,
                       const struct err *err)
{
    pthread_mutex_lock(&desk->lock);
    struct request *first = desk->first;
    desk->first = NULL;
    desk->end = &desk->first;
    desk->waiting = 0;
    desk->known_at = 0;
    pthread_mutex_unlock(&desk->lock);
    for (struct request *request = first, *next; request; request = next) {
        next = request->next;
        if (err->code)
            usage_reply_failure(request, err);
        else
            usage_reply(request, desk->services->gateway, usage);
        request->done(request);
    }
}

static bool await(struct usage_desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    while (!desk->first && !desk->closing)
        pthread_cond_wait(&desk->changed, &desk->lock);
    bool more = desk->first != NULL;
    pthread_mutex_unlock(&desk->lock);
    return more;
}

static void *run(void *arg)
{
    struct usage_desk *desk = arg;
    while (await(desk)) {
        struct bucket_usage usage;
        struct err err = {0};
        if (find(desk, &usage, &err))
            log_event(LOG_WARN, "usage-scan-failed", "code", error_name(err.code), "detail",
                      err.detail, NULL);
        if (err.code == ERR_CANCELLED)
            err_set(&err, ERR_SHUTTING_DOWN, "this gateway is shutting down");
        answer_all(desk, &usage, &err);
        arena_reset(&desk->arena);
    }
    bucket_free(desk->bucket);
    arena_release(&desk->arena);
    return NULL;
}

struct usage_desk *usage_desk_open(struct services *services)
{
    struct usage_desk *desk = calloc(1, sizeof *desk);
    if (!desk)
        abort();
    desk->services = services;
    desk->end = &desk->first;
    id_hex(desk->who, WHO_LEN);
    pthread_mutex_init(&desk->lock, NULL);
    pthread_cond_init(&desk->changed, NULL);
    if (pthread_create(&desk->thread, NULL, run, desk))
        abort();
    return desk;
}

void usage_desk_free(struct usage_desk *desk)
{
    if (!desk)
        return;
    pthread_mutex_lock(&desk->lock);
    desk->closing = true;
    pthread_cond_signal(&desk->changed);
    pthread_mutex_unlock(&desk->lock);
    pthread_join(desk->thread, NULL);
    pthread_cond_destroy(&desk->changed);
    pthread_mutex_destroy(&desk->lock);
    free(desk);
}

int usage_desk_park(struct usage_desk *desk, struct request *request, int64_t known,
                    struct err *err)
{
    pthread_mutex_lock(&desk->lock);
    bool room = desk->waiting < (size_t)desk->services->gateway->queue_limit;
    if (room) {
        request->next = NULL;
        *desk->end = request;
        desk->end = &request->next;
        desk->waiting++;
        if (known > desk->known_at)
            desk->known_at = known;
        pthread_cond_signal(&desk->changed);
    }
    pthread_mutex_unlock(&desk->lock);
    return room ? 0 : err_set(err, ERR_OVERLOADED, "too many requests wait for a scan");
}
