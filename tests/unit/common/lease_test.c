/* Leases in a real store. Skipped without MONGODB_URL. */
#include "common/lease.h"

#include <pthread.h>
#include <stdatomic.h>

#include "common/clock.h"
#include "store_fixture.h"

enum { THREADS = 8, LONG = 60000 };

static struct store *store;
static struct err err;

static void one_has_it(void)
{
    char id[ID_OID_LEN + 1];
    fixture_oid(id);
    CHECK_INT(lease_take(store, id, "a", LONG, &err), 0);
    CHECK_INT(lease_take(store, id, "b", LONG, &err), 1);
    CHECK_INT(lease_take(store, id, "a", LONG, &err), 0); /* renewed */
    CHECK_INT(lease_drop(store, id, "b", &err), 0);       /* not his */
    CHECK_INT(lease_take(store, id, "b", LONG, &err), 1);
    CHECK_INT(lease_drop(store, id, "a", &err), 0);
    CHECK_INT(lease_take(store, id, "b", LONG, &err), 0);
    CHECK_INT(lease_take(store, id, "a", LONG, &err), 1);
}

static void it_ends_by_itself(void)
{
    char id[ID_OID_LEN + 1];
    fixture_oid(id);
    CHECK_INT(lease_take(store, id, "a", 1, &err), 0);
    clock_sleep_ms(5);
    CHECK_INT(lease_take(store, id, "b", LONG, &err), 0);
    CHECK_INT(lease_take(store, id, "a", LONG, &err), 1);
}

static char raced[ID_OID_LEN + 1];
static atomic_int winners, losers;

static void *race(void *arg)
{
    struct err own = {0};
    int answer = lease_take(store, raced, arg, LONG, &own);
    CHECK(answer >= 0);
    atomic_fetch_add(answer == 0 ? &winners : &losers, 1);
    return NULL;
}

static void many_at_once_make_one_winner(void)
{
    static char names[THREADS][2] = {"0", "1", "2", "3", "4", "5", "6", "7"};
    pthread_t threads[THREADS];
    fixture_oid(raced);
    for (int round = 0; round < 2; round++) { /* of nobody's, and of an ended one */
        atomic_store(&winners, 0);
        atomic_store(&losers, 0);
        for (int i = 0; i < THREADS; i++)
            CHECK_INT(pthread_create(&threads[i], NULL, race, names[i]), 0);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        CHECK_INT(winners, 1);
        CHECK_INT(losers, THREADS - 1);
        for (int i = 0; i < THREADS; i++)
            CHECK_INT(lease_drop(store, raced, names[i], &err), 0);
    }
}

int main(void)
{
    const char *url = fixture_url();
    if (!url)
        return 0;
    store = fixture_open(url);
    RUN(one_has_it);
    RUN(it_ends_by_itself);
    RUN(many_at_once_make_one_winner);
    store_free(store);
    return 0;
}
