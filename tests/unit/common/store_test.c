/* Jobs in a real store: claims, swaps, lists, and how many commands they cost. Skipped without
 * MONGODB_URL. */
#include "common/store.h"

#include <pthread.h>

#include "common/clock.h"
#include "common/doc_diff.h"
#include "store_fixture.h"

static struct store *store;

static void same(const struct job *is, const struct job *should, const char *const *skip)
{
    bson_t set = BSON_INITIALIZER, unset = BSON_INITIALIZER;
    doc_diff(&job_doc, is, should, skip, NULL, &set, &unset);
    char *left = bson_as_relaxed_extended_json(&set, NULL);
    char *gone = bson_as_relaxed_extended_json(&unset, NULL);
    CHECK_STR(left, "{ }");
    CHECK_STR(gone, "{ }");
    bson_free(left);
    bson_free(gone);
    bson_destroy(&set);
    bson_destroy(&unset);
}

static void test_ping(void)
{
    struct err err = {0};
    CHECK_INT(store_ping(store, &err), 0);
}

static void test_insert_and_read(void)
{
    struct arena arena = {0};
    struct err err = {0}, errs[3] = {{0}};
    struct job jobs[3] = {fixture_job(&arena), fixture_job(&arena), fixture_job(&arena)};
    const struct job *list[3] = {&jobs[0], &jobs[1], &jobs[2]};
    fixture_insert(store, &jobs[1]);
    int64_t before = store_commands(store);
    CHECK_INT(store_insert_jobs(store, list, 3, errs, &err), 0); /* one of them is there already */
    CHECK_INT(store_commands(store) - before, 1);
    const char *ids[4] = {jobs[0].id, jobs[1].id, jobs[2].id, "none"};
    struct job *found;
    size_t len;
    CHECK_INT(store_jobs_by_id(store, ids, 4, &arena, &found, &len, &err), 0);
    CHECK_INT(len, 3);
    for (size_t i = 0; i < 3; i++) {
        const char *const skip[] = {"log", NULL};
        CHECK_INT(errs[i].code, ERR_NONE);
        struct job read = fixture_read(store, ids[i], &arena);
        CHECK_STR(read.id, ids[i]);
        same(&read, &jobs[i], skip);
        CHECK_INT(read.log.len, 1);
        CHECK_STR(read.log.at[0].event, "submitted");
    }
    struct job none;
    CHECK_INT(store_job(store, "none", &arena, &none, &err), -1);
    CHECK_INT(err.code, ERR_JOB_NOT_FOUND);
    CHECK_INT(store_delete_many(store, "jobs", &job_doc, ids, 4, &err), 0);
    CHECK_INT(store_jobs_by_id(store, ids, 4, &arena, &found, &len, &err), 0);
    CHECK_INT(len, 0);
    arena_release(&arena);
}

/* The claim inside the database is proto's job_claim. */
static void test_claim_is_job_claim(void)
{
    struct arena arena = {0};
    struct job job = fixture_job(&arena);
    fixture_insert(store, &job);
    int64_t before = store_commands(store);
    struct store_claim won = fixture_claim(store, job.id, 1, "w1", &arena);
    CHECK_INT(store_commands(store) - before, 1);
    CHECK(won.claimed);
    const char *const skip[] = {"rev", "log", NULL};
    CHECK(job_claim(&job, 1, "w1", NOW, LEASE));
    same(&won.found, &job, skip);
    CHECK_INT(won.found.rev, 1);
    CHECK_INT(won.found.log.len, 2);
    CHECK_STR(won.found.log.at[1].event, "claimed");
    CHECK_STR(won.found.log.at[1].by, "w1");
    struct job read = fixture_read(store, job.id, &arena);
    same(&read, &won.found, NULL);
    fixture_delete(store, job.id);
    arena_release(&arena);
}

static void test_claim_refused(void)
{
    struct arena arena = {0};
    struct job job = fixture_job(&arena);
    job.tasks.at[0].due_at = NOW + JOB_SKEW_MS + 1;
    job.tasks.at[1].crashes = JOB_CRASHES_ALONE;
    fixture_insert(store, &job);
    CHECK(!fixture_claim(store, job.id, 0, "w1", &arena).claimed);
    CHECK(!fixture_claim(store, job.id, 1, "w1", &arena).claimed);
    CHECK(!fixture_claim(store, job.id, 2, "w1", &arena).claimed);
    CHECK(!fixture_claim(store, job.id, 99, "w1", &arena).claimed);
    CHECK_STR(fixture_claim(store, job.id, 99, "w1", &arena).found.id, job.id);
    CHECK_STR(fixture_claim(store, "none", 0, "w1", &arena).found.id, NULL);
    struct err err = {0};
    struct store_claim alone = {.job = job.id, .task = 1, .alone = true};
    CHECK_INT(store_claim(store, &alone, 1, "w1", NOW, LEASE, &arena, &err), 0);
    CHECK(alone.claimed);
    CHECK_INT(alone.found.rev, 1);
    fixture_delete(store, job.id);
    arena_release(&arena);
}

static void test_claim_batch(void)
{
    struct arena arena = {0};
    struct err err = {0};
    struct job one = fixture_job(&arena), two = fixture_job(&arena);
    fixture_insert(store, &one);
    fixture_insert(store, &two);
    CHECK(fixture_claim(store, two.id, 0, "w1", &arena).claimed); /* ours already: not won again */
    struct store_claim claims[] = {{.job = one.id, .task = 0}, {.job = one.id, .task = 1},
                                   {.job = two.id, .task = 0}, {.job = two.id, .task = 1},
                                   {.job = two.id, .task = 1}, {.job = "none", .task = 0}};
    int64_t before = store_commands(store);
    CHECK_INT(store_claim(store, claims, 6, "w1", NOW, LEASE, &arena, &err), 0);
    CHECK_INT(store_commands(store) - before, 2);
    CHECK(claims[0].claimed && claims[1].claimed && !claims[2].claimed);
    CHECK(claims[3].claimed != claims[4].claimed); /* the same task twice: one of them */
    CHECK(!claims[5].claimed && !claims[5].found.id);
    CHECK_INT(claims[0].found.rev, 2);
    CHECK_INT(claims[0].found.tasks.at[1].run, 1);
    CHECK_STR(claims[2].found.id, two.id);
    fixture_delete(store, one.id);
    fixture_delete(store, two.id);
    arena_release(&arena);
}

struct racer {
    pthread_t thread;
    const char *job;
    char worker[16];
    int won;
};

static void *race_claim(void *arg)
{
    struct racer *racer = arg;
    struct arena arena = {0};
    for (size_t task = 0; task < 2; task++)
        racer->won += fixture_claim(store, racer->job, task, racer->worker, &arena).claimed;
    arena_release(&arena);
    return NULL;
}

static void *race_swap(void *arg)
{
    struct racer *racer = arg;
    struct arena arena = {0};
    while (racer->won < 20) {
        struct job before = fixture_read(store, racer->job, &arena), after = before;
        after.priority++;
        after.event = (struct log_line){.at = NOW, .event = "raised", .by = racer->worker};
        racer->won += fixture_swap(store, &before, &after);
        arena_reset(&arena);
    }
    arena_release(&arena);
    return NULL;
}

static int race(const char *job, void *(*run)(void *))
{
    struct racer racers[8] = {0};
    int won = 0;
    for (int i = 0; i < 8; i++) {
        racers[i].job = job;
        snprintf(racers[i].worker, sizeof racers[i].worker, "w%d", i);
        CHECK_INT(pthread_create(&racers[i].thread, NULL, run, &racers[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(racers[i].thread, NULL);
        won += racers[i].won;
    }
    return won;
}

static void test_races(void)
{
    struct arena arena = {0};
    for (int round = 0; round < 10; round++) {
        struct job job = fixture_job(&arena);
        fixture_insert(store, &job);
        CHECK_INT(race(job.id, race_claim), 2);
        CHECK_INT(fixture_read(store, job.id, &arena).rev, 2);
        fixture_delete(store, job.id);
    }
    struct job job = fixture_job(&arena);
    fixture_insert(store, &job);
    CHECK_INT(race(job.id, race_swap), 160);
    struct job read = fixture_read(store, job.id, &arena);
    CHECK_INT(read.priority, 160);
    CHECK_INT(read.rev, 160);
    CHECK_INT(read.log.len, JOB_LOG_MAX);
    CHECK_INT(read.log.at[JOB_LOG_MAX - 1].rev, 160);
    fixture_delete(store, job.id);
    arena_release(&arena);
}

static void test_swap(void)
{
    struct arena arena = {0};
    struct job job = fixture_job(&arena);
    fixture_insert(store, &job);
    struct job before = fixture_claim(store, job.id, 0, "w1", &arena).found;
    struct job after = fixture_copy(&before, &arena);
    const struct outcome outcome = {.error = {ERR_TIMEOUT, "slow"}, .message = "m"};
    CHECK(job_settle(&after, 0, 1, &outcome, NOW + 5));
    int64_t commands = store_commands(store);
    CHECK(fixture_swap(store, &before, &after));
    CHECK_INT(store_commands(store) - commands, 1);
    const char *const skip[] = {"rev", "log", NULL};
    struct job read = fixture_read(store, job.id, &arena);
    same(&read, &after, skip);
    CHECK_INT(read.rev, before.rev + 1);
    CHECK_INT(read.log.at[2].rev, read.rev);
    CHECK_STR(read.log.at[2].event, "retrying");
    CHECK_STR(read.log.at[2].task, "a");
    CHECK(!fixture_swap(store, &before, &after));

    struct job nudged = fixture_copy(&read, &arena);
    job_nudge(&nudged, NOW + 9);
    CHECK(fixture_swap(store, &read, &nudged));
    read = fixture_read(store, job.id, &arena);
    same(&read, &nudged, skip);
    CHECK_INT(read.log.len, 3);
    fixture_delete(store, job.id);
    arena_release(&arena);
}

/* Of several swaps some lose: exactly those are told, also when the winners were overtaken since.
 */
static void test_swap_batch(void)
{
    enum { LEN = 6 };
    struct arena arena = {0};
    struct err err = {0};
    struct job before[LEN], after[LEN];
    struct store_swap swaps[LEN];
    for (int i = 0; i < LEN; i++) {
        before[i] = fixture_job(&arena);
        fixture_insert(store, &before[i]);
        after[i] = fixture_copy(&before[i], &arena);
        if (i < 3)
            CHECK(job_stop(&after[i], ERR_CANCELLED, "me", NOW));
        else
            job_nudge(&after[i], NOW);
        swaps[i] = (struct store_swap){&before[i], &after[i], false};
    }
    CHECK(fixture_claim(store, before[1].id, 0, "w1", &arena).claimed);
    CHECK(fixture_claim(store, before[4].id, 0, "w1", &arena).claimed);
    int64_t commands = store_commands(store);
    CHECK_INT(store_swap(store, swaps, LEN, &err), 0);
    CHECK_INT(store_commands(store) - commands, 2);
    for (int i = 0; i < LEN; i++)
        CHECK_INT(swaps[i].saved, i != 1 && i != 4);
    for (int i = 0; i < LEN; i++)
        fixture_delete(store, before[i].id);
    arena_release(&arena);
}

/* Equal in all but the order: one is saved, and the other one is told so. */
static void test_swaps_of_one_job_in_a_batch(void)
{
    struct arena arena = {0};
    struct err err = {0};
    struct job job = fixture_job(&arena), other = fixture_job(&arena);
    struct job stopped = fixture_copy(&job, &arena), other_stopped = fixture_copy(&other, &arena);
    fixture_insert(store, &job);
    fixture_insert(store, &other);
    CHECK(job_stop(&stopped, ERR_CANCELLED, "me", NOW));
    CHECK(job_stop(&other_stopped, ERR_CANCELLED, "me", NOW));
    struct store_swap swaps[] = {
        {&job, &stopped, false}, {&other, &other_stopped, false}, {&job, &stopped, false}};
    CHECK_INT(store_swap(store, swaps, 3, &err), 0);
    CHECK_INT(swaps[0].saved + swaps[2].saved, 1);
    CHECK(swaps[1].saved);
    CHECK_INT(fixture_read(store, job.id, &arena).rev, job.rev + 1);
    fixture_delete(store, job.id);
    fixture_delete(store, other.id);
    arena_release(&arena);
}

static void test_list(void)
{
    struct arena arena = {0};
    struct err err = {0};
    char project[ID_OID_LEN + 1];
    struct job jobs[5];
    fixture_oid(project);
    for (int i = 0; i < 5; i++) {
        jobs[i] = fixture_job(&arena);
        jobs[i].project_id = project;
        if (i == 3)
            jobs[i].state = JOB_FAILED;
        fixture_insert(store, &jobs[i]);
    }
    struct job *page;
    size_t len;
    struct job_query query = {.tenant = "store-test", .project_id = project, .limit = 3};
    CHECK_INT(store_list_jobs(store, &query, &arena, &page, &len, &err), 0);
    CHECK_INT(len, 3);
    for (int i = 0; i < 3; i++)
        CHECK_STR(page[i].id, jobs[4 - i].id);
    query.before_id = page[2].id;
    CHECK_INT(store_list_jobs(store, &query, &arena, &page, &len, &err), 0);
    CHECK_INT(len, 2);
    CHECK_STR(page[1].id, jobs[0].id);
    query = (struct job_query){.project_id = project, .state = JOB_FAILED, .limit = 3};
    CHECK_INT(store_list_jobs(store, &query, &arena, &page, &len, &err), 0);
    CHECK_INT(len, 1);
    CHECK_STR(page[0].id, jobs[3].id);
    query.tenant = "other";
    CHECK_INT(store_list_jobs(store, &query, &arena, &page, &len, &err), 0);
    CHECK_INT(len, 0);
    for (int i = 0; i < 5; i++)
        fixture_delete(store, jobs[i].id);
    arena_release(&arena);
}

static void test_settings(void)
{
    struct store *none = NULL;
    struct err err = {0};
    struct store_settings wrong = {"mongodb//secret@x", 100, 100, 2};
    CHECK_INT(store_open(&none, &wrong, "store-test", &err), -1);
    CHECK_INT(err.code, ERR_CONFIG);
    CHECK(!strstr(err.detail, "secret"));
    wrong.url = "mongodb://127.0.0.1:1/x?w=0";
    CHECK_INT(store_open(&none, &wrong, "store-test", &err), -1);
    CHECK_INT(err.code, ERR_CONFIG);
    wrong.url = "mongodb://127.0.0.1:1/x";
    CHECK_INT(store_open(&none, &wrong, "store-test", &err), 0);
    CHECK_INT(store_ping(none, &err), -1);
    CHECK_INT(err.code, ERR_STORE_UNAVAILABLE);
    store_free(none);
    store_free(NULL);
}

int main(void)
{
    RUN(test_settings);
    const char *url = fixture_url();
    if (!url)
        return 0;
    store = fixture_open(url);
    RUN(test_ping);
    RUN(test_insert_and_read);
    RUN(test_claim_is_job_claim);
    RUN(test_claim_refused);
    RUN(test_claim_batch);
    RUN(test_races);
    RUN(test_swap);
    RUN(test_swap_batch);
    RUN(test_swaps_of_one_job_in_a_batch);
    RUN(test_list);
    store_free(store);
    return 0;
}
