/* Runs from claim to acknowledgement, and what a handler can say and hear. */
#include "check.h"

#include "common/clock.h"
#include "worker/held.h"
#include "worker/run.h"

/* The fake door: held_done wakes the consumer. */
static int wakes;
void broker_wake(struct broker *broker)
{
    (void)broker;
    wakes++;
}

static struct task task = {.name = "download",
                           .kind = KIND_DOWNLOAD,
                           .state = TASK_RUNNING,
                           .run = 2,
                           .timeout_s = 60,
                           .lease_until = INT64_C(4102444800000)};
static struct job job = {.id = "job", .rev = 7, .tasks = {&task, 1}};
static struct worker_config config = {.fleet = {.workspace = "/tmp/held-test"}};

static struct run *add(struct runtime *runtime)
{
    static const struct delivery delivery = {.tag = 9};
    struct lot *lot = lot_new();
    struct run *run = run_new(runtime, lot, &job, 0, &delivery);
    lot_drop(lot);
    held_add(&runtime->held, run);
    return run;
}

static void init(struct runtime *runtime)
{
    *runtime = (struct runtime){.lease_ms = 30000, .config = &config};
    held_init(&runtime->held);
}

/* NULL: a turn to save, or the end. */
static struct run *next(struct runtime *runtime)
{
    struct run *run;
    return held_next(&runtime->held, &run) ? run : NULL;
}

static void runs_go_through_in_order(void)
{
    struct runtime runtime;
    init(&runtime);
    struct run *a = add(&runtime), *b = add(&runtime), *c = add(&runtime);
    CHECK_INT(held_len(&runtime.held), 3);
    CHECK(next(&runtime) == a);
    CHECK(next(&runtime) == b);
    wakes = 0;
    held_done(&runtime, b);
    held_done(&runtime, a);
    CHECK_INT(wakes, 1); /* one wake for all that waits */
    CHECK_INT(held_len(&runtime.held), 1);
    CHECK(held_take_done(&runtime.held) == b);
    CHECK(b->next == a);
    CHECK(held_take_done(&runtime.held) == NULL);
    CHECK(next(&runtime) == c);
    held_close(&runtime.held);
    struct run *none;
    CHECK(!held_next(&runtime.held, &none));
    held_done(&runtime, c);
    run_free(a);
    run_free(b);
    run_free(c);
    held_release(&runtime.held);
}

static void what_comes_back_comes_first(void)
{
    struct runtime runtime;
    init(&runtime);
    struct run *a = add(&runtime), *b = add(&runtime), *c = add(&runtime);
    CHECK(next(&runtime) == a);
    CHECK(next(&runtime) == b);
    b->with = a;
    held_return(&runtime.held, b, NULL, 0);
    CHECK(next(&runtime) == b);
    held_done(&runtime, b); /* both */
    CHECK_INT(held_len(&runtime.held), 1);
    CHECK(held_take_done(&runtime.held) == b && b->next == a);
    CHECK(next(&runtime) == c);
    held_done(&runtime, c);
    run_free(a);
    run_free(b);
    run_free(c);
    held_release(&runtime.held);
}

static void saving_waits_for_short_runs_if_somebody_else_is_there(void)
{
    struct runtime runtime;
    struct run *run;
    struct change *taken[CHANGES_MAX], change[CHANGES_MAX + 1] = {0};
    init(&runtime);
    struct held *held = &runtime.held;
    struct run *a = add(&runtime), *b = add(&runtime), *c = add(&runtime);
    change[0].run = a;
    held_offer(held, &change[0]);
    held->idle = 1;
    CHECK(next(&runtime) == a);
    CHECK(held->waking); /* he saves if a takes long */
    held->idle = 0;
    CHECK(held_next(held, &run) && !run); /* nobody else would */
    CHECK(next(&runtime) == b);           /* one at a time saves */
    CHECK_INT(held_take_changes(held, taken), 1);
    CHECK(taken[0] == &change[0]);
    held_return(held, NULL, NULL, 0);
    held->idle = 1;
    for (size_t i = 0; i < CHANGES_MAX + 1; i++) {
        change[i] = (struct change){.run = a};
        held_offer(held, &change[i]);
    }
    CHECK(held_next(held, &run) && !run); /* as many as are saved at once */
    CHECK_INT(held_take_changes(held, taken), CHANGES_MAX);
    held_close(held);
    held_return(held, NULL, NULL, 0);
    CHECK(next(&runtime) == c);
    CHECK(held_next(held, &run) && !run); /* nothing is left behind */
    CHECK_INT(held_take_changes(held, taken), 1);
    held_return(held, NULL, NULL, 0);
    CHECK(!held_next(held, &run));
    struct run *all[] = {a, b, c};
    for (int i = 0; i < 3; i++)
        held_done(&runtime, all[i]);
    for (int i = 0; i < 3; i++)
        run_free(all[i]);
    held_release(held);
}

enum { SLOTS = 5 };
static atomic_int begun;

/* Every run takes as long as it takes the others to begin. */
static void *slot(void *arg)
{
    struct runtime *runtime = arg;
    struct run *run;
    while (held_next(&runtime->held, &run)) {
        atomic_fetch_add(&begun, 1);
        while (atomic_load(&begun) < SLOTS)
            clock_sleep_ms(1);
        held_done(runtime, run);
    }
    return NULL;
}

static void a_long_run_keeps_no_other_waiting(void)
{
    struct runtime runtime;
    pthread_t thread[SLOTS];
    struct run *run[SLOTS];
    init(&runtime);
    for (int i = 0; i < SLOTS; i++)
        CHECK_INT(pthread_create(&thread[i], NULL, slot, &runtime), 0);
    for (int i = 0; i < SLOTS; i++)
        run[i] = add(&runtime);
    while (held_len(&runtime.held))
        clock_sleep_ms(1);
    held_close(&runtime.held);
    for (int i = 0; i < SLOTS; i++) {
        pthread_join(thread[i], NULL);
        run_free(run[i]);
    }
    held_release(&runtime.held);
}

static void a_stop_reaches_every_run_and_its_first_reason_stays(void)
{
    struct runtime runtime;
    struct err err = {0};
    init(&runtime);
    struct run *a = add(&runtime), *b = add(&runtime);
    CHECK(!run_stopped(a));
    run_stop(a, ERR_TIMEOUT);
    held_stop(&runtime.held, ERR_SHUTTING_DOWN);
    CHECK(run_stopped(b));
    CHECK_INT(run_stop_error(a, &err), -1);
    CHECK_INT(err.code, ERR_TIMEOUT);
    run_stop_error(b, &err);
    CHECK_INT(err.code, ERR_SHUTTING_DOWN);
    for (int i = 0; i < 2; i++)
        held_done(&runtime, next(&runtime));
    run_free(a);
    run_free(b);
    held_release(&runtime.held);
}

/* Whether or not the pulse has found the time to say so. */
static void a_run_without_its_lease_is_stopped(void)
{
    struct runtime runtime;
    struct err err = {0};
    init(&runtime);
    struct run *run = add(&runtime), *finisher = add(&runtime);
    atomic_store(&run->lease_mono, clock_mono_ms());
    atomic_store(&finisher->lease_mono, 0);
    finisher->finish_only = true; /* needs none */
    CHECK(run_stopped(run));
    CHECK(!run_stopped(finisher));
    CHECK_INT(run_stop_error(run, &err), -1);
    CHECK_INT(err.code, ERR_LEASE_LOST);
    for (int i = 0; i < 2; i++)
        held_done(&runtime, next(&runtime));
    run_free(run);
    run_free(finisher);
    held_release(&runtime.held);
}

static void progress_only_rises_and_never_says_hundred(void)
{
    struct runtime runtime;
    init(&runtime);
    struct run *run = add(&runtime);
    run_progress(run, 50, "half\x01way");
    run_progress(run, 20, NULL);
    CHECK_INT(atomic_load(&run->percent), 50);
    run_progress(run, 250, NULL);
    CHECK_INT(atomic_load(&run->percent), 99);
    CHECK_STR(run->message, "half?way");
    held_done(&runtime, next(&runtime));
    run_free(run);
    held_release(&runtime.held);
}

static void a_run_has_a_directory_of_its_own(void)
{
    struct runtime runtime;
    struct err err = {0};
    init(&runtime);
    struct run *run = add(&runtime);
    CHECK_STR(run_dir(run, &err), "/tmp/held-test/job/download.2");
    CHECK(run_dir_of(run, "download") == NULL); /* it has not succeeded */
    task.state = TASK_SUCCEEDED;
    CHECK_STR(run_dir_of(run, "download"), "/tmp/held-test/job/download.2");
    task.state = TASK_RUNNING;
    held_done(&runtime, next(&runtime));
    run_free(run);
    held_release(&runtime.held);
    CHECK_INT(system("rm -r /tmp/held-test"), 0);
}

int main(void)
{
    RUN(runs_go_through_in_order);
    RUN(what_comes_back_comes_first);
    RUN(saving_waits_for_short_runs_if_somebody_else_is_there);
    RUN(a_long_run_keeps_no_other_waiting);
    RUN(a_stop_reaches_every_run_and_its_first_reason_stays);
    RUN(a_run_without_its_lease_is_stopped);
    RUN(progress_only_rises_and_never_says_hundred);
    RUN(a_run_has_a_directory_of_its_own);
    return 0;
}
