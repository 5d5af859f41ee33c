/* Readiness: how often the services are looked at, however many ask. */
#include "check.h"
#include "fake_clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "gateway/ready.h"

enum { ASKERS = 8 };

static struct ready *ready;
static atomic_int looks;
static atomic_bool store_ok, hangs;

static struct readiness look(void *arg)
{
    (void)arg;
    atomic_fetch_add(&looks, 1);
    while (atomic_load(&hangs))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return (struct readiness){.ready = atomic_load(&store_ok)};
}

static void *ask(void *arg)
{
    (void)arg;
    return ready_ask(ready, look, NULL).ready ? &looks : NULL;
}

static void begin(void)
{
    ready = ready_open();
    atomic_store(&looks, 0);
    atomic_store(&store_ok, true);
    atomic_store(&hangs, false);
}

static void an_answer_is_good_for_a_second(void)
{
    begin();
    for (int i = 0; i < 100; i++)
        CHECK(ready_ask(ready, look, NULL).ready);
    CHECK_INT(atomic_load(&looks), 1);
    atomic_store(&store_ok, false);
    fake_skipped_ms += READY_MS;
    CHECK(!ready_ask(ready, look, NULL).ready);
    CHECK_INT(atomic_load(&looks), 2);
    ready_free(ready);
}

static void one_look_serves_all_who_wait(void)
{
    pthread_t threads[ASKERS];
    void *ok;
    begin();
    atomic_store(&hangs, true);
    for (int i = 0; i < ASKERS; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, ask, NULL), 0);
    while (atomic_load(&looks) == 0)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    atomic_store(&hangs, false);
    for (int i = 0; i < ASKERS; i++) {
        pthread_join(threads[i], &ok);
        CHECK(ok);
    }
    CHECK_INT(atomic_load(&looks), 1);
    ready_free(ready);
}

static void a_service_that_hangs_holds_up_one(void)
{
    pthread_t thread;
    begin();
    CHECK(ready_ask(ready, look, NULL).ready);
    fake_skipped_ms += READY_MS;
    atomic_store(&hangs, true);
    CHECK_INT(pthread_create(&thread, NULL, ask, NULL), 0);
    while (atomic_load(&looks) == 1)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    CHECK(ready_ask(ready, look, NULL).ready); /* the last answer, at once */
    CHECK_INT(atomic_load(&looks), 2);
    atomic_store(&hangs, false);
    pthread_join(thread, NULL);
    ready_free(ready);
}

int main(void)
{
    RUN(an_answer_is_good_for_a_second);
    RUN(one_look_serves_all_who_wait);
    RUN(a_service_that_hangs_holds_up_one);
    return 0;
}
