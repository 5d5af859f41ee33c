/* So many bytes a second, no more; what was not used is not saved up. */
#include "check.h"

#include "common/clock.h"
#include "worker/held.h"
#include "worker/storage/throttle.h"

static struct runtime runtime;
static struct task task = {
    .name = "migrate", .kind = KIND_STORAGE, .state = TASK_RUNNING, .run = 1};
static struct job job = {.id = "01J00000000000000000000009", .tasks = {&task, 1}};

static struct run *new_run(void)
{
    static const struct delivery none;
    struct lot *lot = lot_new();
    task.lease_until = INT64_C(4102444800000);
    struct run *run = run_new(&runtime, lot, &job, 0, &none);
    lot_drop(lot);
    return run;
}

static int64_t time_of(struct throttle *throttle, int64_t bytes)
{
    int64_t began = clock_mono_ms();
    throttle_count(throttle, bytes);
    return clock_mono_ms() - began;
}

static void bytes_take_their_time(void)
{
    struct run *run = new_run();
    struct throttle throttle = {.run = run, .rate_bytes = 1000000};
    CHECK(time_of(&throttle, 1400000) >= 395); /* a second's worth is free */
    CHECK(time_of(&throttle, 300000) >= 295);
    throttle.rate_bytes = 0;
    throttle.free_mono = 0;
    CHECK_INT((throttle_count(&throttle, INT64_MAX), throttle.free_mono), 0);
    run_free(run);
}

static void a_stopped_run_waits_no_more(void)
{
    struct run *run = new_run();
    struct throttle throttle = {.run = run, .rate_bytes = 1};
    run_stop(run, ERR_CANCELLED);
    CHECK(time_of(&throttle, 1000000000) < 600000);
    run_free(run);
}

int main(void)
{
    RUN(bytes_take_their_time);
    RUN(a_stopped_run_waits_no_more);
    return 0;
}
