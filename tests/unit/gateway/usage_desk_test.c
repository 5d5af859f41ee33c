/* The desk between many who ask and one scan: who is answered, with what, and how often the bucket
 * is scanned. */
#include "gateway/usage_desk.h"

#include <pthread.h>
#include <stdatomic.h>

#include "check.h"
#include "common/clock.h"
#include "common/lease.h"
#include "common/usage.h"

enum { ASKERS = 64, SCAN_ENDS_MS = 60000 };

/* The doors: a bucket, the last scan in the store, the lease. */
static struct {
    pthread_mutex_t lock;
    struct bucket_usage last;
    atomic_int scans, taken, dropped;
    atomic_bool hold; /* a scan goes on until it is let go */
    enum error fails;
    bool others; /* the lease is another gateway's */
} world = {.lock = PTHREAD_MUTEX_INITIALIZER};

int bucket_open(struct bucket **out, const struct bucket_settings *settings, struct err *err)
{
    (void)settings, (void)err;
    *out = (struct bucket *)&world;
    return 0;
}
void bucket_free(struct bucket *bucket)
{
    (void)bucket;
}
void bucket_set_patience(struct bucket *bucket, int64_t call_ms)
{
    (void)bucket, (void)call_ms;
}
void bucket_set_watch(struct bucket *bucket, const struct bucket_watch *watch)
{
    (void)bucket, (void)watch;
}

const char *usage_lease_id(const struct bucket *bucket, struct arena *arena)
{
    (void)bucket;
    return arena_strdup(arena, "lease");
}

int usage_last(struct store *store, const struct bucket *bucket, struct arena *arena,
               struct bucket_usage *out, struct err *err)
{
    (void)store, (void)bucket, (void)arena, (void)err;
    pthread_mutex_lock(&world.lock);
    *out = world.last;
    pthread_mutex_unlock(&world.lock);
    return 0;
}

static void finish_scan(void)
{
    pthread_mutex_lock(&world.lock);
    world.last.scanned_at = clock_now_ms();
    world.last.object_count++;
    pthread_mutex_unlock(&world.lock);
}

int usage_snapshot(struct store *store, struct bucket *bucket, const struct usage_watch *watch,
                   struct arena *arena, struct bucket_usage *out, struct err *err)
{
    int64_t until = clock_mono_ms() + SCAN_ENDS_MS;
    atomic_fetch_add(&world.scans, 1);
    do {
        if (watch->step(watch->arg, err))
            return -1;
        clock_sleep_ms(1);
        CHECK(clock_mono_ms() < until);
    } while (atomic_load(&world.hold));
    if (world.fails)
        return err_set(err, world.fails, "as told");
    finish_scan();
    return usage_last(store, bucket, arena, out, err);
}

int lease_take(struct store *store, const char *id, const char *who, int64_t ms, struct err *err)
{
    (void)store, (void)who, (void)ms, (void)err;
    CHECK_STR(id, "lease");
    pthread_mutex_lock(&world.lock);
    bool others = world.others;
    pthread_mutex_unlock(&world.lock);
    atomic_fetch_add(&world.taken, !others);
    return others;
}

int lease_drop(struct store *store, const char *id, const char *who, struct err *err)
{
    (void)store, (void)id, (void)who, (void)err;
    atomic_fetch_add(&world.dropped, 1);
    return 0;
}

static struct gateway_settings gateway = {.queue_limit = ASKERS};
static struct services services = {.gateway = &gateway};
static struct request requests[ASKERS + 1];
static struct usage_desk *desk;
static atomic_int answered;

static void done(struct request *request)
{
    CHECK(request->reply.status != 0);
    atomic_fetch_add(&answered, 1);
}

static void begin(void)
{
    world.last = (struct bucket_usage){0};
    world.fails = ERR_NONE;
    world.others = false;
    atomic_store(&world.scans, 0);
    atomic_store(&world.taken, 0);
    atomic_store(&world.dropped, 0);
    atomic_store(&world.hold, false);
    atomic_store(&services.draining, false);
    atomic_store(&answered, 0);
    for (size_t i = 0; i <= ASKERS; i++) {
        request_reset(&requests[i]);
        requests[i].done = done;
    }
    desk = usage_desk_open(&services);
}

static int park(size_t i, int64_t known_at)
{
    struct err err = {0};
    int failed = usage_desk_park(desk, &requests[i], known_at, &err);
    CHECK_INT(err.code, failed ? ERR_OVERLOADED : ERR_NONE);
    return failed;
}

static void await(atomic_int *counter, int value)
{
    for (int64_t until = clock_mono_ms() + SCAN_ENDS_MS; atomic_load(counter) < value;) {
        CHECK(clock_mono_ms() < until);
        clock_sleep_ms(1);
    }
}

static void check_replies(size_t len, int status, const char *part)
{
    for (size_t i = 0; i < len; i++) {
        CHECK_INT(requests[i].reply.status, status);
        CHECK(strstr(requests[i].reply.body.at, part));
    }
}

static void *ask(void *arg)
{
    CHECK_INT(park((size_t)((struct request *)arg - requests), 0), 0);
    return NULL;
}

static void one_scan_answers_all_who_wait(void)
{
    pthread_t threads[ASKERS];
    begin();
    atomic_store(&world.hold, true);
    CHECK_INT(park(0, 0), 0);
    await(&world.scans, 1);
    for (size_t i = 1; i < ASKERS; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, ask, &requests[i]), 0);
    for (size_t i = 1; i < ASKERS; i++)
        pthread_join(threads[i], NULL);
    CHECK_INT(park(ASKERS, 0), -1); /* as many wait as may */
    CHECK_INT(atomic_load(&answered), 0);
    atomic_store(&world.hold, false);
    await(&answered, ASKERS);
    CHECK_INT(atomic_load(&world.scans), 1);
    CHECK_INT(atomic_load(&world.dropped), 1);
    check_replies(ASKERS, 200, "\"object_count\":1");
    usage_desk_free(desk);
}

static void only_a_later_scan_than_the_known_one_will_do(void)
{
    begin();
    finish_scan();
    CHECK_INT(park(0, world.last.scanned_at - 1), 0);
    await(&answered, 1);
    CHECK_INT(atomic_load(&world.scans), 0);
    CHECK_INT(park(1, world.last.scanned_at), 0);
    await(&answered, 2);
    CHECK_INT(atomic_load(&world.scans), 1);
    check_replies(1, 200, "\"object_count\":1");
    usage_desk_free(desk);
}

static void another_gateways_scan_is_waited_for(void)
{
    begin();
    world.others = true;
    CHECK_INT(park(0, 0), 0);
    clock_sleep_ms(50);
    CHECK_INT(atomic_load(&answered), 0);
    finish_scan();
    await(&answered, 1);
    CHECK_INT(atomic_load(&world.scans), 0);
    check_replies(1, 200, "\"object_count\":1");
    usage_desk_free(desk);
}

static void one_that_dies_is_stood_in_for(void)
{
    begin();
    world.others = true;
    CHECK_INT(park(0, 0), 0);
    clock_sleep_ms(50);
    pthread_mutex_lock(&world.lock);
    world.others = false; /* its lease has ended */
    pthread_mutex_unlock(&world.lock);
    await(&answered, 1);
    CHECK_INT(atomic_load(&world.scans), 1);
    usage_desk_free(desk);
}

static void a_failure_is_told_to_all(void)
{
    static const struct {
        enum error code;
        int status;
        const char *part;
    } failures[] = {
        {ERR_STORAGE_AUTH, 502, "{\"success\":false,\"code\":\"storage-permission-denied\""},
        {ERR_STORAGE_BUCKET, 502, "{\"success\":false,\"code\":\"storage-bucket-missing\""},
        {ERR_STORAGE_TIMEOUT, 504, "{\"success\":false,\"code\":\"storage-timeout\""},
        {ERR_STORAGE_UNAVAILABLE, 503, "{\"success\":false,\"code\":\"storage-unavailable\""},
        {ERR_STORE_UNAVAILABLE, 503, "\"code\":\"store-unavailable\""},
    };
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        begin();
        world.fails = failures[i].code;
        for (size_t n = 0; n < 3; n++)
            CHECK_INT(park(n, 0), 0);
        await(&answered, 3);
        CHECK_INT(atomic_load(&world.dropped), atomic_load(&world.scans));
        check_replies(3, failures[i].status, failures[i].part);
        usage_desk_free(desk);
    }
}

static void whoever_waits_when_it_drains_is_told(void)
{
    begin();
    atomic_store(&world.hold, true);
    CHECK_INT(park(0, 0), 0);
    await(&world.scans, 1);
    CHECK_INT(park(1, 0), 0);
    atomic_store(&services.draining, true);
    await(&answered, 2);
    check_replies(2, 503, "shutting-down");
    CHECK_INT(atomic_load(&world.dropped), 1);
    usage_desk_free(desk);
}

int main(void)
{
    RUN(one_scan_answers_all_who_wait);
    RUN(only_a_later_scan_than_the_known_one_will_do);
    RUN(another_gateways_scan_is_waited_for);
    RUN(one_that_dies_is_stood_in_for);
    RUN(a_failure_is_told_to_all);
    RUN(whoever_waits_when_it_drains_is_told);
    for (size_t i = 0; i <= ASKERS; i++)
        arena_release(&requests[i].arena);
    return 0;
}
