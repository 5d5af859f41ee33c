/* Pulses against the real store: one write for all that is held, and what comes back. Skipped
 * without MONGODB_URL. */
#include "store_fixture.h"

static struct store *store;

static void test_pulse(void)
{
    struct arena arena = {0};
    struct err err = {0};
    struct job one = fixture_job(&arena), two = fixture_job(&arena);
    fixture_insert(store, &one);
    fixture_insert(store, &two);
    CHECK(fixture_claim(store, one.id, 0, "w1", &arena).claimed);
    int64_t rev = fixture_claim(store, one.id, 1, "w1", &arena).found.rev;
    CHECK(fixture_claim(store, two.id, 0, "w1", &arena).claimed);
    struct store_pulse held[] = {{.job = one.id, .task = 0, .run = 1, .rev = rev, .percent = 10},
                                 {.job = one.id, .task = 1, .run = 1, .rev = rev, .message = "m"},
                                 {.job = two.id, .task = 0, .run = 1, .rev = 1, .percent = 30}};
    int64_t commands = store_commands(store);
    CHECK_INT(store_pulse(store, held, 3, "w1", NOW + 2 * LEASE, &err), 0);
    CHECK_INT(store_commands(store) - commands, 1);
    CHECK(held[0].alive && held[1].alive && held[2].alive);
    struct job read = fixture_read(store, one.id, &arena);
    CHECK_INT(read.rev, rev);
    CHECK_INT(read.alarm_at, NOW + JOB_PUBLISH_MS); /* as submitted */
    CHECK_INT(read.tasks.at[0].percent, 10);
    CHECK_INT(read.tasks.at[0].lease_until, NOW + 2 * LEASE);
    CHECK_STR(read.tasks.at[1].message, "m");

    /* One job is stopped, the other's task is taken over by somebody else. */
    struct job stopped = fixture_copy(&read, &arena);
    CHECK(job_stop(&stopped, ERR_CANCELLED, "me", NOW));
    CHECK(fixture_swap(store, &read, &stopped));
    read = fixture_read(store, two.id, &arena);
    struct job taken = fixture_copy(&read, &arena);
    CHECK(job_take_over(&taken, 0, "w2", NOW, LEASE));
    CHECK(fixture_swap(store, &read, &taken));
    held[0].percent = 5; /* never falls */
    commands = store_commands(store);
    CHECK_INT(store_pulse(store, held, 3, "w1", NOW + 3 * LEASE, &err), 0);
    CHECK_INT(store_commands(store) - commands, 3);
    CHECK(held[0].alive && held[1].alive && !held[2].alive);
    CHECK_INT(held[0].stop, ERR_CANCELLED);
    CHECK_INT(held[1].rev, rev + 1);
    read = fixture_read(store, one.id, &arena);
    CHECK_INT(read.tasks.at[0].percent, 10);
    CHECK_INT(read.tasks.at[1].lease_until, NOW + 3 * LEASE);
    CHECK_INT(fixture_read(store, two.id, &arena).tasks.at[0].lease_until, NOW + LEASE);
    fixture_delete(store, one.id);
    fixture_delete(store, two.id);
    CHECK_INT(store_pulse(store, held, 3, "w1", NOW, &err), 0);
    CHECK(!held[0].alive && !held[1].alive && !held[2].alive);
    arena_release(&arena);
}

/* A task lost before its neighbour was claimed is noticed, in whatever order the two are sent. */
static void test_pulse_of_neighbours(void)
{
    struct arena arena = {0};
    struct err err = {0};
    for (int order = 0; order < 2; order++) {
        struct job job = fixture_job(&arena);
        fixture_insert(store, &job);
        struct job read = fixture_claim(store, job.id, 0, "w1", &arena).found;
        struct job taken = fixture_copy(&read, &arena);
        CHECK(job_take_over(&taken, 0, "w2", NOW, LEASE));
        CHECK(fixture_swap(store, &read, &taken));
        int64_t rev = fixture_claim(store, job.id, 1, "w1", &arena).found.rev;
        const struct store_pulse lost = {.job = job.id, .task = 0, .run = 1, .rev = 1};
        const struct store_pulse kept = {.job = job.id, .task = 1, .run = 1, .rev = rev};
        struct store_pulse held[2] = {order ? lost : kept, order ? kept : lost};
        CHECK_INT(store_pulse(store, held, 2, "w1", NOW + 2 * LEASE, &err), 0);
        CHECK(!held[!order].alive && held[order].alive);
        read = fixture_read(store, job.id, &arena);
        CHECK_INT(read.tasks.at[0].lease_until, NOW + LEASE);
        CHECK_INT(read.tasks.at[1].lease_until, NOW + 2 * LEASE);
        fixture_delete(store, job.id);
    }
    arena_release(&arena);
}

int main(void)
{
    const char *url = fixture_url();
    if (!url)
        return 0;
    store = fixture_open(url);
    RUN(test_pulse);
    RUN(test_pulse_of_neighbours);
    store_free(store);
    return 0;
}
