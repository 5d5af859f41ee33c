/* Group commit of settles, over a store of one page. */
#include "batch_fixture.h"

/* The fake door: held_done wakes the consumer. */
void broker_wake(struct broker *broker)
{
    (void)broker;
}

static struct arena memory;
static struct runtime runtime;
static struct batch *batch;

static struct job *new_job(size_t at, const char *recipe)
{
    struct job *job = arena_alloc(&memory, sizeof *job);
    struct task *tasks = arena_alloc_array(&memory, RECIPE_TASKS_MAX, sizeof *tasks);
    const char *(*needs)[RECIPE_NEEDS_MAX] =
        arena_alloc_array(&memory, RECIPE_TASKS_MAX, sizeof *needs);
    job->id = arena_printf(&memory, "job%zu", at);
    recipe_plan(recipe_find(recipe), job, tasks, needs);
    job_start(job, 1000);
    store.job[at] = job;
    return job;
}

static struct run *claimed(struct job *job, size_t task)
{
    static const struct delivery none;
    struct lot *lot = lot_new();
    CHECK(job_claim(job, task, "w", clock_now_ms(), JOB_LEASE_MS));
    job->rev++;
    struct job *read = arena_memdup(&lot->arena, job, sizeof *job);
    read->tasks.at =
        arena_memdup(&lot->arena, job->tasks.at, job->tasks.len * sizeof *job->tasks.at);
    struct run *run = run_new(&runtime, lot, read, task, &none);
    lot_drop(lot);
    return run;
}

static struct run *next(void)
{
    struct run *run;
    CHECK(held_next(&runtime.held, &run));
    return run;
}

/* What a slot does that has nothing else to do; returns what it gets then. */
static struct run *save_all(void)
{
    CHECK(!next()); /* its turn to save */
    batch_save(batch);
    return next();
}

static enum settled settle_until(struct run *run, int64_t give_up_mono, struct job **after)
{
    struct err err = {0};
    batch_offer(batch, run);
    CHECK(save_all() == run);
    if (run->stage == RUN_UNSAVED)
        return batch_settle(batch, run, give_up_mono, after, &err);
    CHECK_INT(run->stage, RUN_SAVED);
    *after = run->end.after;
    return SETTLED;
}

static enum settled settle(struct run *run, struct job **after)
{
    return settle_until(run, clock_mono_ms() + 50, after);
}

static void count_anew(void)
{
    store.calls = 0;
    store.swaps = store.largest = 0;
}

static void offer_all(struct run *run[RUNS])
{
    for (size_t i = 0; i < RUNS; i++)
        batch_offer(batch, run[i] = claimed(new_job(i, "hello"), 0));
    count_anew();
}

static void free_all(struct run *run[RUNS])
{
    for (size_t i = 0; i < RUNS; i++)
        run_free(run[i]);
}

static void what_was_offered_is_saved_at_once(void)
{
    struct run *run[RUNS], *back;
    offer_all(run);
    back = save_all(); /* one slot gets all of them */
    CHECK_INT(store.calls, 1);
    CHECK_INT(store.swaps, RUNS);
    for (size_t i = 0; i < RUNS; i++, back = back->with) {
        CHECK(back == run[i]);
        CHECK_INT(back->stage, RUN_SAVED);
        CHECK_INT(back->end.after->state, JOB_SUCCEEDED);
        CHECK_INT(back->end.after->rev, store.job[i]->rev);
        CHECK_INT(store.job[i]->state, JOB_SUCCEEDED);
    }
    CHECK(!back);
    free_all(run);
}

/* Nor do those that were saved wait for the one that was not. */
static void an_unsaved_one_comes_back_by_itself(void)
{
    struct run *run[RUNS], *back;
    offer_all(run);
    store.job[3]->rev++;
    back = save_all();
    CHECK(back == run[0]);
    for (; back; back = back->with)
        CHECK_INT(back->stage, RUN_SAVED);
    back = next();
    CHECK(back == run[3]);
    CHECK_INT(back->stage, RUN_UNSAVED);
    CHECK(!back->with);
    free_all(run);
}

/* Finish duties take their time. */
static void who_has_duties_comes_back_by_itself(void)
{
    struct run *run[3], *back;
    for (size_t i = 0; i < 3; i++) {
        struct job *job = new_job(i, "hello");
        job->simple = i != 1;
        batch_offer(batch, run[i] = claimed(job, 0));
    }
    back = save_all();
    CHECK(back == run[0] && back->with == run[2] && !run[2]->with);
    back = next();
    CHECK(back == run[1] && job_finishing(back->end.after) && !back->with);
    for (size_t i = 0; i < 3; i++)
        run_free(run[i]);
}

enum { SLOTS = 6 };

static void *slot(void *arg)
{
    struct run *run;
    (void)arg;
    while (held_next(&runtime.held, &run)) {
        if (!run)
            batch_save(batch);
        else if (run->stage == RUN_CLAIMED)
            batch_offer(batch, run);
        else
            held_done(&runtime, run);
    }
    return NULL;
}

static void slots_share_the_saving_and_lose_nothing(void)
{
    pthread_t thread[SLOTS];
    struct run *first = NULL, **end = &first;
    for (size_t i = 0; i < RUNS; i++) {
        *end = claimed(new_job(i, "hello"), 0);
        end = &(*end)->next;
    }
    count_anew();
    for (size_t i = 0; i < SLOTS; i++)
        CHECK_INT(pthread_create(&thread[i], NULL, slot, NULL), 0);
    held_add(&runtime.held, first);
    held_close(&runtime.held); /* the slots end when all is done */
    for (size_t i = 0; i < SLOTS; i++)
        pthread_join(thread[i], NULL);
    runtime.held.closed = false;
    CHECK_INT(held_len(&runtime.held), 0);
    CHECK_INT(store.swaps, RUNS);
    for (size_t i = 0; i < RUNS; i++)
        CHECK_INT(store.job[i]->state, JOB_SUCCEEDED);
    for (struct run *run = held_take_done(&runtime.held), *next; run; run = next) {
        next = run->next;
        run_free(run);
    }
}

static pthread_barrier_t together;

static void *swap_one(void *arg)
{
    const struct run *run = arg;
    struct arena arena = {0};
    struct job *after = change_draft(run->job, &arena);
    CHECK(job_settle(after, 0, run->number, &run->outcome, clock_now_ms()));
    pthread_barrier_wait(&together);
    CHECK(batch_swap(batch, run->job, after));
    CHECK_INT(after->rev, run->job->rev + 1);
    arena_release(&arena);
    return NULL;
}

static void who_waits_is_saved_with_others(void)
{
    pthread_t thread[RUNS];
    struct run *run[RUNS];
    pthread_barrier_init(&together, NULL, RUNS);
    count_anew();
    for (size_t i = 0; i < RUNS; i++) {
        run[i] = claimed(new_job(i, "hello"), 0);
        CHECK_INT(pthread_create(&thread[i], NULL, swap_one, run[i]), 0);
    }
    for (size_t i = 0; i < RUNS; i++)
        pthread_join(thread[i], NULL);
    pthread_barrier_destroy(&together);
    CHECK_INT(store.swaps, RUNS);
    CHECK(store.calls < RUNS);
    CHECK(store.largest > 1);
    for (size_t i = 0; i < RUNS; i++)
        CHECK_INT(store.job[i]->state, JOB_SUCCEEDED);
    free_all(run);
}

static void a_conflict_sees_what_the_other_did(void)
{
    struct job *job = new_job(0, "media.store"), *after = NULL;
    struct run *run = claimed(job, 0);
    CHECK_INT(settle(run, &after), SETTLED);
    run_free(run);
    struct run *transcode = claimed(job, 1), *thumbnail = claimed(job, 2);
    CHECK_INT(settle(transcode, &after), SETTLED);
    CHECK_INT(after->tasks.at[3].state, TASK_WAITING);
    CHECK_INT(settle(thumbnail, &after), SETTLED); /* it was claimed before the other had ended */
    CHECK_INT(after->tasks.at[3].state, TASK_QUEUED);
    CHECK_INT(after->rev, job->rev);
    run_free(transcode);
    run_free(thumbnail);
}

static void a_run_that_was_taken_over_is_lost(void)
{
    struct job *job = new_job(0, "hello"), *after = NULL;
    struct run *run = claimed(job, 0);
    CHECK(job_take_over(job, 0, "v", clock_now_ms(), JOB_LEASE_MS));
    job->rev++;
    CHECK_INT(settle(run, &after), SETTLE_LOST);
    CHECK_STR(job->tasks.at[0].worker, "v");
    store.job[0] = NULL;
    CHECK_INT(settle(run, &after), SETTLE_LOST); /* the job is gone */
    run_free(run);
}

static void an_outage_is_waited_out(void)
{
    struct job *job = new_job(0, "hello"), *after = NULL;
    struct run *run = claimed(job, 0);
    store.failures_left = 1;
    CHECK_INT(settle(run, &after), SETTLED);
    CHECK_INT(job->state, JOB_SUCCEEDED);
    run_free(run);
}

/* Who takes a saved success for a lost one removes the files that the next task needs. */
static void a_success_whose_answer_was_lost_is_a_success(void)
{
    struct job *job = new_job(0, "media.store"), *after = NULL;
    struct run *run = claimed(job, 0);
    store.lost_left = 1;
    CHECK_INT(settle(run, &after), SETTLED);
    CHECK_INT(after->tasks.at[0].state, TASK_SUCCEEDED);
    CHECK_INT(after->tasks.at[1].state, TASK_QUEUED);
    CHECK_INT(after->rev, job->rev);
    run_free(run);
}

static void a_refused_neighbour_harms_nobody(void)
{
    struct run *run[RUNS], *back;
    struct job *after;
    struct err err = {0};
    offer_all(run);
    store.refuses = true;
    back = save_all();
    CHECK(back == run[0]);
    CHECK_INT(batch_settle(batch, back, clock_mono_ms(), &after, &err), SETTLE_FAILED);
    CHECK_INT(store.job[0]->state, JOB_RUNNING);
    back = next();
    for (size_t i = 1; i < RUNS; i++, back = back->with) {
        CHECK(back == run[i]);
        CHECK_INT(store.job[i]->state, JOB_SUCCEEDED);
    }
    store.refuses = false;
    free_all(run);
}

/* A result that the store does not take, now or ever, is no reason to run for ever. */
static void a_refused_result_is_an_error(void)
{
    static const uint8_t bytes[] = {5, 0, 0, 0, 0};
    struct job *job = new_job(0, "hello"), *after = NULL;
    struct run *run = claimed(job, 0);
    run->outcome.result = (struct raw){bytes, sizeof bytes};
    store.refuses_results = true;
    CHECK_INT(settle_until(run, clock_mono_ms() + 600000, &after), SETTLED);
    CHECK_INT(job->tasks.at[0].state, TASK_QUEUED);
    CHECK_INT(job->tasks.at[0].failures, 1);
    CHECK_STR(job->tasks.at[0].error.detail, "too large");
    store.refuses_results = false;
    run_free(run);
}

static void patience_ends(void)
{
    struct job *job = new_job(0, "hello"), *after = NULL;
    struct run *run = claimed(job, 0);
    store.failures_left = 1000;
    CHECK_INT(settle(run, &after), SETTLE_FAILED);
    CHECK_INT(job->state, JOB_RUNNING);
    store.failures_left = 0;
    run_free(run);
}

int main(void)
{
    runtime.lease_ms = JOB_LEASE_MS;
    held_init(&runtime.held);
    batch = batch_new(NULL, &runtime.held);
    RUN(what_was_offered_is_saved_at_once);
    RUN(an_unsaved_one_comes_back_by_itself);
    RUN(who_has_duties_comes_back_by_itself);
    RUN(slots_share_the_saving_and_lose_nothing);
    RUN(who_waits_is_saved_with_others);
    RUN(a_conflict_sees_what_the_other_did);
    RUN(a_run_that_was_taken_over_is_lost);
    RUN(an_outage_is_waited_out);
    RUN(a_success_whose_answer_was_lost_is_a_success);
    RUN(a_refused_neighbour_harms_nobody);
    RUN(a_refused_result_is_an_error);
    RUN(patience_ends);
    batch_free(batch);
    held_release(&runtime.held);
    arena_release(&memory);
    return 0;
}
