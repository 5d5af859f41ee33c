/* Group commit of settles, over a store of one page: jobs by id, compared by rev. */
#include "check.h"

#include "common/clock.h"
#include "proto/recipe.h"
#include "worker/batch.h"

enum { RUNS = 24 };

/* The fake door: takes the place of common/store_swap and store_jobs. */
static struct {
    pthread_mutex_t lock;
    struct job *job[RUNS];
    int calls, failures_left;
    int lost_left;        /* saves that are made, and whose answer is lost */
    bool refuses;         /* the first swap of each bulk is not taken */
    bool refuses_results; /* nor is what has a result */
    size_t swaps, largest;
} store = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct job *stored(const char *id)
{
    for (size_t i = 0; i < RUNS; i++)
        if (store.job[i] && strcmp(store.job[i]->id, id) == 0)
            return store.job[i];
    return NULL;
}

static void save(struct store_swap *swap)
{
    struct job *job = stored(swap->before->id);
    swap->saved = job && job->rev == swap->before->rev;
    if (!swap->saved)
        return;
    memcpy(job->tasks.at, swap->after->tasks.at, job->tasks.len * sizeof *job->tasks.at);
    job->state = swap->after->state;
    job->rev++;
}

int store_swap(struct store *unused, struct store_swap *swaps, size_t len, struct err *err)
{
    (void)unused;
    clock_sleep_ms(5); /* while the leader is away, others come */
    pthread_mutex_lock(&store.lock);
    store.calls++;
    bool fits = true;
    for (size_t i = 0; i < len && store.refuses_results; i++)
        fits = fits && !swaps[i].after->tasks.at[0].result.len;
    bool fails = store.failures_left > 0 && store.failures_left--;
    bool lost = store.lost_left > 0 && store.lost_left--;
    for (size_t i = store.refuses; i < len && !fails && fits; i++)
        save(&swaps[i]);
    for (size_t i = 0; i < len && lost; i++)
        swaps[i].saved = false;
    store.swaps += len;
    store.largest = len > store.largest ? len : store.largest;
    pthread_mutex_unlock(&store.lock);
    if (store.refuses || !fits)
        return err_set(err, ERR_INTERNAL, "too large");
    return fails || lost ? err_set(err, ERR_STORE_UNAVAILABLE, "away") : 0;
}

int store_job(struct store *unused, const char *id, struct arena *arena, struct job *out,
              struct err *err)
{
    (void)unused;
    pthread_mutex_lock(&store.lock);
    struct job *job = stored(id);
    if (job) {
        *out = *job;
        out->tasks.at = arena_memdup(arena, job->tasks.at, job->tasks.len * sizeof *job->tasks.at);
    }
    pthread_mutex_unlock(&store.lock);
    return job ? 0 : err_set(err, ERR_JOB_NOT_FOUND, "no job");
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

static enum settled settle(struct run *run, struct job **after)
{
    struct err err = {0};
    return batch_settle(batch, run, clock_mono_ms() + 50, after, &err);
}

static pthread_barrier_t together;

static void *settle_one(void *arg)
{
    struct run *run = arg;
    struct job *after = NULL;
    pthread_barrier_wait(&together);
    CHECK_INT(settle(run, &after), SETTLED);
    CHECK_INT(after->state, JOB_SUCCEEDED);
    return NULL;
}

static void gathers_what_comes_together(void)
{
    pthread_t thread[RUNS];
    struct run *run[RUNS];
    for (size_t i = 0; i < RUNS; i++)
        run[i] = claimed(new_job(i, "hello"), 0);
    pthread_barrier_init(&together, NULL, RUNS);
    store.calls = 0;
    store.swaps = 0;
    for (size_t i = 0; i < RUNS; i++)
        CHECK_INT(pthread_create(&thread[i], NULL, settle_one, run[i]), 0);
    for (size_t i = 0; i < RUNS; i++)
        pthread_join(thread[i], NULL);
    pthread_barrier_destroy(&together);
    CHECK_INT(store.swaps, RUNS);
    CHECK(store.calls < RUNS);
    CHECK(store.largest > 1);
    for (size_t i = 0; i < RUNS; i++) {
        CHECK_INT(store.job[i]->state, JOB_SUCCEEDED);
        run_free(run[i]);
    }
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

static void *settle_any(void *arg)
{
    struct job *after = NULL;
    return settle(arg, &after) == SETTLED ? arg : NULL;
}

static void a_refused_neighbour_harms_nobody(void)
{
    pthread_t thread[RUNS];
    struct run *run[RUNS];
    int settled = 0;
    for (size_t i = 0; i < RUNS; i++)
        run[i] = claimed(new_job(i, "hello"), 0);
    store.refuses = true;
    for (size_t i = 0; i < RUNS; i++)
        CHECK_INT(pthread_create(&thread[i], NULL, settle_any, run[i]), 0);
    for (size_t i = 0; i < RUNS; i++) {
        void *won;
        pthread_join(thread[i], &won);
        settled += won != NULL;
        CHECK_INT(won != NULL, store.job[i]->state == JOB_SUCCEEDED);
        run_free(run[i]);
    }
    CHECK(settled > 0);
    store.refuses = false;
}

/* A result that the store does not take, now or ever, is no reason to run for ever. */
static void a_refused_result_is_an_error(void)
{
    static const uint8_t bytes[] = {5, 0, 0, 0, 0};
    struct job *job = new_job(0, "hello"), *after = NULL;
    struct run *run = claimed(job, 0);
    struct err err = {0};
    run->outcome.result = (struct raw){bytes, sizeof bytes};
    store.refuses_results = true;
    CHECK_INT(batch_settle(batch, run, clock_mono_ms() + 600000, &after, &err), SETTLED);
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
    batch = batch_new(NULL);
    RUN(gathers_what_comes_together);
    RUN(a_conflict_sees_what_the_other_did);
    RUN(a_run_that_was_taken_over_is_lost);
    RUN(an_outage_is_waited_out);
    RUN(a_success_whose_answer_was_lost_is_a_success);
    RUN(a_refused_neighbour_harms_nobody);
    RUN(a_refused_result_is_an_error);
    RUN(patience_ends);
    batch_free(batch);
    arena_release(&memory);
    return 0;
}
