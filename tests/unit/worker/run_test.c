/* What a handler saves while it runs, over a store in memory. */
#include "check.h"
#include "fake_store.h"

#include "proto/hello.h"
#include "worker/batch.h"
#include "worker/run.h"

static struct runtime runtime;
static struct batch *batch;
static struct arena memory;

/* Number `number`, claimed. */
static struct run *claimed(int number)
{
    struct store_claim claim = {.job = fake_start(number, "hello")->id};
    struct err err = {0};
    CHECK_INT(store_claim(NULL, &claim, 1, "w", clock_now_ms(), 60000, &memory, &err), 0);
    CHECK(claim.claimed);
    struct job *job = arena_memdup(&memory, &claim.found, sizeof claim.found);
    const struct delivery none = {0};
    struct lot *lot = lot_new();
    struct run *run = run_new(&runtime, lot, job, 0, &none);
    lot_drop(lot);
    return run;
}

static int save(struct run *run, const char *greeting, struct err *err)
{
    const struct hello_result result = {greeting};
    *err = (struct err){0};
    return run_checkpoint(run, &result, err);
}

static const char *saved(const struct job *job)
{
    struct hello_result result;
    struct err err = {0};
    CHECK_INT(doc_bson_unpack(&hello_result_doc, &job->tasks.at[0].result, &memory, &result, &err),
              0);
    return result.greeting;
}

static void saves_in_one_round_trip(void)
{
    struct err err;
    struct run *run = claimed(1);
    int swaps = fake_store.swaps;
    CHECK_INT(save(run, "one", &err), 0);
    CHECK_STR(saved(fake_job(run->job->id)), "one");
    CHECK_INT(save(run, "two", &err), 0);
    CHECK_INT(save(run, "two", &err), 0); /* nothing new */
    CHECK_STR(saved(fake_job(run->job->id)), "two");
    CHECK_INT(fake_store.swaps - swaps, 3);
    CHECK(!run_task(run)->result.len); /* as it was at the claim */
    run_free(run);
}

static void settles_over_a_checkpoint(void)
{
    struct err err;
    struct run *run = claimed(2), *back;
    CHECK_INT(save(run, "so far", &err), 0);
    run->outcome.error = (struct task_error){ERR_DEBUG_PERMANENT, "no more"};
    int swaps = fake_store.swaps;
    batch_offer(batch, run);
    CHECK(held_next(&runtime.held, &back));
    batch_save(batch);
    CHECK(held_next(&runtime.held, &back));
    CHECK_INT(fake_store.swaps - swaps, 1);
    CHECK_INT(back->stage, RUN_SAVED);
    CHECK_INT(back->end.after->state, JOB_FAILED);
    CHECK_STR(saved(fake_job(run->job->id)), "so far");
    run_free(run);
}

static void somebody_elses_change_is_kept(void)
{
    struct err err;
    struct run *run = claimed(3);
    struct job *job = fake_job(run->job->id), *after = fake_copy(job, &fake_store.memory);
    CHECK(job_stop(after, ERR_CANCELLED, "somebody", clock_now_ms()));
    CHECK(fake_save(job, after));
    CHECK_INT(save(run, "still", &err), 0);
    CHECK_STR(saved(fake_job(run->job->id)), "still");
    CHECK_INT(fake_job(run->job->id)->stop.code, ERR_CANCELLED);
    run_free(run);
}

static void a_run_that_is_not_ours_saves_nothing(void)
{
    struct err err;
    struct run *run = claimed(4);
    CHECK_INT(save(run, "ours", &err), 0);
    struct job *job = fake_job(run->job->id), *after = fake_copy(job, &fake_store.memory);
    CHECK(job_take_over(after, 0, "v", clock_now_ms(), 60000));
    CHECK(fake_save(job, after));
    CHECK_INT(save(run, "the dead one's", &err), -1);
    CHECK_INT(err.code, ERR_LEASE_LOST);
    CHECK_STR(saved(fake_job(run->job->id)), "ours");
    run_free(run);
}

static void cores_are_shared_by_the_processes(void)
{
    static const struct {
        int64_t cores, processes;
        int each;
    } rows[] = {{8, 1, 8}, {8, 3, 2}, {8, 16, 1}, {1, 1, 1}};
    struct worker_config config = {0};
    const struct runtime one = {.config = &config};
    const struct run run = {.runtime = (struct runtime *)&one};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        config.worker =
            (struct worker_settings){.cores = rows[i].cores, .processes = rows[i].processes};
        CHECK_INT(run_cores(&run), rows[i].each);
    }
    config.worker = (struct worker_settings){.processes = 1};
    CHECK(run_cores(&run) >= 1);
}

static void a_store_that_is_away_says_so(void)
{
    struct err err;
    struct run *run = claimed(5);
    fake_store.away = 1;
    CHECK_INT(save(run, "lost", &err), -1);
    CHECK_INT(err.code, ERR_STORE_UNAVAILABLE);
    fake_store.lost = 1; /* made, but nobody heard */
    CHECK_INT(save(run, "heard by nobody", &err), -1);
    CHECK_INT(save(run, "again", &err), 0);
    CHECK_STR(saved(fake_job(run->job->id)), "again");
    run_free(run);
}

int main(void)
{
    runtime.kind = &kinds[KIND_HELLO];
    held_init(&runtime.held);
    batch = batch_new(NULL, &runtime.held);
    RUN(saves_in_one_round_trip);
    RUN(settles_over_a_checkpoint);
    RUN(somebody_elses_change_is_kept);
    RUN(a_run_that_is_not_ours_saves_nothing);
    RUN(cores_are_shared_by_the_processes);
    RUN(a_store_that_is_away_says_so);
    batch_free(batch);
    held_release(&runtime.held);
    arena_release(&memory);
    arena_release(&fake_store.memory);
    return 0;
}
