/* Turns in a real store. Skipped without MONGODB_URL. */
#include "common/turn.h"

#include <pthread.h>

#include "store_fixture.h"

enum { THREADS = 8 };

static struct store *store;
static struct err err;
static char name[ID_OID_LEN + 1];

static int take(const char *owner, int64_t now)
{
    return turn_take(store, name, owner, now, LEASE, &err);
}

static void is_one_owners_until_it_ends(void)
{
    fixture_oid(name);
    CHECK_INT(take("a", NOW), 1);
    CHECK_INT(take("b", NOW + LEASE - 1), 0);
    CHECK_INT(take("a", NOW + 10), 1);
    CHECK_INT(take("b", NOW + LEASE), 0); /* it was taken again meanwhile */
    CHECK_INT(take("b", NOW + LEASE + 10), 1);
    CHECK_INT(take("a", NOW + LEASE + 10), 0);
}

static void can_be_left(void)
{
    fixture_oid(name);
    CHECK_INT(take("a", NOW), 1);
    CHECK_INT(turn_leave(store, name, "b", NOW, &err), 0);
    CHECK_INT(take("b", NOW), 0);
    CHECK_INT(turn_leave(store, name, "a", NOW, &err), 0);
    CHECK_INT(take("b", NOW), 1);
}

static void *rival(void *arg)
{
    struct err mine = {0};
    char owner[ID_ULID_LEN + 1];
    id_ulid(NOW, owner);
    *(int *)arg = turn_take(store, name, owner, NOW + 2 * LEASE, LEASE, &mine);
    return NULL;
}

static void check_rivals(void)
{
    pthread_t threads[THREADS];
    int taken[THREADS], all = 0;
    for (int i = 0; i < THREADS; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, rival, &taken[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK(taken[i] >= 0);
        all += taken[i];
    }
    CHECK_INT(all, 1);
}

static void rivals_get_it_once(void)
{
    fixture_oid(name);
    check_rivals(); /* a new one */
    fixture_oid(name);
    CHECK_INT(take("a", NOW), 1);
    check_rivals(); /* one that has ended */
}

int main(void)
{
    const char *url = fixture_url();
    if (!url)
        return 0;
    store = fixture_open(url);
    RUN(is_one_owners_until_it_ends);
    RUN(can_be_left);
    RUN(rivals_get_it_once);
    store_free(store);
    return 0;
}
