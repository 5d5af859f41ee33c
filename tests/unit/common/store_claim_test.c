/* Claims against the real store: what one document must not do to its neighbours. */
#include "check.h"
#include "store_fixture.h"

static struct store *store;
static struct arena memory;

static void an_unreadable_job_keeps_no_other_from_its_claim(void)
{
    struct err err = {0};
    struct job first = fixture_job(&memory), second = fixture_job(&memory);
    fixture_insert(store, &first);
    fixture_insert(store, &second);
    fixture_make_unreadable(store, first.id);
    struct store_claim claims[] = {{.job = first.id}, {.job = second.id}};
    CHECK_INT(store_claim(store, claims, 2, "w", NOW, LEASE, &memory, &err), 0);
    CHECK(!claims[0].claimed);
    CHECK(!claims[0].found.id);
    CHECK(claims[1].claimed);
}

static void a_claim_may_be_a_little_early(void)
{
    struct err err = {0};
    struct job job = fixture_job(&memory);
    fixture_insert(store, &job);
    struct store_claim claim = {.job = job.id};
    CHECK_INT(store_claim(store, &claim, 1, "w", NOW - JOB_SKEW_MS - 1, LEASE, &memory, &err), 0);
    CHECK(!claim.claimed);
    CHECK_INT(store_claim(store, &claim, 1, "w", NOW - JOB_SKEW_MS, LEASE, &memory, &err), 0);
    CHECK(claim.claimed);
}

static void two_tickets_of_one_task_in_a_batch_are_one_claim(void)
{
    struct err err = {0};
    struct job first = fixture_job(&memory), second = fixture_job(&memory);
    fixture_insert(store, &first);
    fixture_insert(store, &second);
    struct store_claim claims[] = {{.job = second.id}, {.job = first.id}, {.job = second.id}};
    CHECK_INT(store_claim(store, claims, 3, "w", NOW, LEASE, &memory, &err), 0);
    CHECK(claims[0].claimed);
    CHECK(claims[1].claimed);
    CHECK(!claims[2].claimed);
    CHECK_STR(claims[2].found.id, second.id);
    CHECK_INT(claims[2].found.tasks.at[0].run, 1);
}

/* One update for all that differ in the job alone, another one for each other task, kind, … */
static void claims_of_several_sorts_share_a_batch(void)
{
    struct err err = {0};
    struct job first = fixture_job(&memory), second = fixture_job(&memory);
    struct job third = fixture_job(&memory);
    fixture_insert(store, &first);
    fixture_insert(store, &second);
    fixture_insert(store, &third);
    struct store_claim claims[] = {{.job = first.id, .kind = first.tasks.at[0].kind},
                                   {.job = second.id, .task = 2},
                                   {.job = second.id},
                                   {.job = third.id, .kind = third.tasks.at[0].kind}};
    CHECK_INT(store_claim(store, claims, 4, "w", NOW, LEASE, &memory, &err), 0);
    CHECK(claims[0].claimed);
    CHECK(!claims[1].claimed); /* it waits for others */
    CHECK_STR(claims[1].found.id, second.id);
    CHECK(claims[2].claimed);
    CHECK(claims[3].claimed);
    CHECK_INT(claims[3].found.tasks.at[0].run, 1);
    CHECK_INT(store_claim(store, claims, 4, "x", NOW, LEASE, &memory, &err), 0);
    for (size_t i = 0; i < 4; i++)
        CHECK(!claims[i].claimed);
}

int main(void)
{
    const char *url = fixture_url();
    if (!url)
        return 0;
    store = fixture_open(url);
    RUN(an_unreadable_job_keeps_no_other_from_its_claim);
    RUN(a_claim_may_be_a_little_early);
    RUN(two_tickets_of_one_task_in_a_batch_are_one_claim);
    RUN(claims_of_several_sorts_share_a_batch);
    store_free(store);
    arena_release(&memory);
    return 0;
}
