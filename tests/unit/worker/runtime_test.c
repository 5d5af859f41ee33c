/* A whole worker process in memory: consumer, slots, group commit and pulse together, over doors
 * that lose answers, break connections and repeat tickets, on a clock that runs fast. Each case is
 * a process of its own. */
#include "check.h"
#include "fake_broker.h"
#include "fake_clock.h"
#include "fake_publisher.h"
#include "fake_store.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/hello.h"
#include "worker/runtime.h"
#include "worker/workspace.h"

enum { PASSED = 42, MINUTE = 60000 };

static char workspace[] = "/tmp/runtime-test-XXXXXX";
static struct worker_config config = {.fleet = {.lease_s = 600, .workspace = workspace},
                                      .worker = {.slots = 64, .drain_s = 600}};
static atomic_int started, returned, successes;

/* Runs the case in a child with a clock `speed` times as fast; the code that it exits with. */
static int in_child(void (*body)(void), int64_t speed)
{
    fflush(stdout);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        fake_speed = speed;
        body();
        fflush(stdout);
        _exit(PASSED);
    }
    int status;
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void run_worker(worker_handler *handle)
{
    const struct worker worker = {.kind = KIND_HELLO, .handle = handle};
    CHECK_INT(runtime_run(&worker, &config), 0);
}

static pthread_t in_thread(void *(*body)(void *))
{
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, body, NULL), 0);
    return thread;
}

static void wait_for(atomic_int *counter, int value)
{
    while (atomic_load(counter) < value)
        clock_sleep_ms(fake_speed);
}

/* --- everything at once --- */

enum { JOBS_MANY = 400 };

static int some_work(struct run *run, const void *params, void *result, struct err *err)
{
    (void)params, (void)result;
    unsigned number = (unsigned)atoi(run_job(run)->id + 20);
    for (unsigned i = 0; i < number % 7; i++) {
        run_progress(run, i * 10, "at it");
        run_usage(run, 1, 1);
        clock_sleep_ms(300);
        if (run_stopped(run))
            return run_stop_error(run, err);
    }
    if (number % 5 == 0 && run_task(run)->failures == 0)
        return err_set(err, ERR_DEBUG_TRANSIENT, "once");
    atomic_fetch_add(&successes, 1);
    return 0;
}

/* What the reconciler of a gateway does. */
static void look_at(struct job *job)
{
    struct job *after = fake_copy(job, &fake_store.memory);
    int64_t now = clock_now_ms();
    if (!job_expire(after, now))
        job_nudge(after, now);
    CHECK(fake_save(job, after));
    for (size_t i = 0; i < after->tasks.len; i++)
        if (job_due(after, i, now))
            fake_ticket(after->id, (int64_t)i);
}

static void *reconcile_until_done(void *unused)
{
    (void)unused;
    for (int done = 0, round = 0; done < JOBS_MANY; round++) {
        clock_sleep_ms(200);
        pthread_mutex_lock(&fake_store.lock);
        for (size_t i = 0; i < fake_store.len; i++)
            if (fake_store.jobs[i]->alarm_at && fake_store.jobs[i]->alarm_at <= clock_now_ms())
                look_at(fake_store.jobs[i]);
        done = fake_store.terminal;
        pthread_mutex_unlock(&fake_store.lock);
        if (round % 8 == 0)
            fake_break();
    }
    kill(getpid(), SIGTERM);
    return NULL;
}

static void many_jobs_and_many_faults(void)
{
    for (int i = 0; i < JOBS_MANY; i++) {
        struct job *job = fake_start(i, "hello");
        fake_ticket(job->id, 0);
        if (i % 3 == 0)
            fake_ticket(job->id, 0);
    }
    fake_store.lost_pm = 100;
    fake_publisher.on_sent = fake_ticket;
    pthread_t thread = in_thread(reconcile_until_done);
    run_worker(some_work);
    pthread_join(thread, NULL);
    CHECK_INT(fake_store.terminal, JOBS_MANY);
    CHECK_INT(fake_store.succeeded, JOBS_MANY);
    CHECK_INT(successes, JOBS_MANY); /* nothing was done twice */
    for (size_t i = 0; i < fake_store.len; i++)
        CHECK_INT(fake_store.jobs[i]->tasks.at[0].crashes, 0); /* nobody died */
    CHECK(fake_store.pings > 0);
}

/* --- a store that is away while stopped runs want to be saved --- */

static int until_stopped(struct run *run, const void *params, void *result, struct err *err)
{
    (void)params, (void)result;
    atomic_fetch_add(&started, 1);
    while (!run_stopped(run))
        clock_sleep_ms(100);
    pthread_mutex_lock(&fake_store.lock);
    fake_store.away = INT32_MAX;
    pthread_mutex_unlock(&fake_store.lock);
    atomic_fetch_add(&returned, 1);
    return run_stop_error(run, err);
}

static void *cancel_and_take_the_store(void *unused)
{
    (void)unused;
    wait_for(&started, 1);
    pthread_mutex_lock(&fake_store.lock);
    struct job *job = fake_store.jobs[0], *after = fake_copy(job, &fake_store.memory);
    CHECK(job_stop(after, ERR_CANCELLED, "somebody", clock_now_ms()));
    CHECK(fake_save(job, after));
    pthread_mutex_unlock(&fake_store.lock);
    wait_for(&returned, 1);
    clock_sleep_ms(2 * MINUTE);
    pthread_mutex_lock(&fake_store.lock);
    fake_store.away = 0;
    pthread_mutex_unlock(&fake_store.lock);
    kill(getpid(), SIGTERM);
    return NULL;
}

static void a_handler_that_returned_does_not_hang(void)
{
    fake_ticket(fake_start(1, "hello")->id, 0);
    pthread_t thread = in_thread(cancel_and_take_the_store);
    run_worker(until_stopped);
    pthread_join(thread, NULL);
    CHECK_INT(fake_store.jobs[0]->state, JOB_CANCELLED);
}

/* --- a handler that hangs, and whose lease is gone --- */

static int for_minutes(struct run *run, const void *params, void *result, struct err *err)
{
    (void)run, (void)params, (void)result, (void)err;
    pthread_mutex_lock(&fake_store.lock);
    fake_store.away = INT32_MAX;
    pthread_mutex_unlock(&fake_store.lock);
    clock_sleep_ms(5 * MINUTE);
    pthread_mutex_lock(&fake_store.lock);
    fake_store.away = 0;
    pthread_mutex_unlock(&fake_store.lock);
    kill(getpid(), SIGTERM);
    return 0;
}

static void a_handler_that_hangs_takes_its_process_with_it(void)
{
    config.fleet.lease_s = 10;
    fake_ticket(fake_start(1, "hello")->id, 0);
    run_worker(for_minutes);
}

static atomic_int *ended_with; /* shared with the children */

static void see_end(const struct job *after)
{
    if (after->tasks.at[0].state == TASK_FAILED)
        atomic_store(ended_with, (int)after->tasks.at[0].error.code);
}

static int for_ever(struct run *run, const void *params, void *result, struct err *err)
{
    (void)params, (void)result, (void)err;
    while (run)
        clock_sleep_ms(MINUTE);
    return 0;
}

static void a_handler_that_hangs_past_its_time_is_settled(void)
{
    fake_seen_save = see_end;
    struct job *job = fake_start(1, "hello");
    job->tasks.at[0].timeout_s = 60;
    job->tasks.at[0].max_attempts = 1;
    fake_ticket(job->id, 0);
    run_worker(for_ever);
}

/* --- a run that is cancelled before it has a slot --- */

static int first_for_minutes(struct run *run, const void *params, void *result, struct err *err)
{
    (void)params, (void)result;
    if (atomic_fetch_add(&started, 1) == 0)
        clock_sleep_ms(3 * MINUTE);
    return run_stopped(run) ? run_stop_error(run, err) : 0;
}

static void *cancel_the_second(void *unused)
{
    (void)unused;
    wait_for(&started, 1);
    for (bool held = false; !held; clock_sleep_ms(100)) {
        pthread_mutex_lock(&fake_store.lock);
        struct job *job = fake_store.jobs[1], *after = fake_copy(job, &fake_store.memory);
        held = job->tasks.at[0].state == TASK_RUNNING &&
               job_stop(after, ERR_CANCELLED, "somebody", clock_now_ms()) && fake_save(job, after);
        pthread_mutex_unlock(&fake_store.lock);
    }
    clock_sleep_ms(4 * MINUTE);
    kill(getpid(), SIGTERM);
    return NULL;
}

static void a_run_that_waits_for_a_slot_does_not_hang(void)
{
    config.worker.slots = 1;
    fake_ticket(fake_start(1, "hello")->id, 0);
    fake_ticket(fake_start(2, "hello")->id, 0);
    pthread_t thread = in_thread(cancel_the_second);
    run_worker(first_for_minutes);
    pthread_join(thread, NULL);
    CHECK_INT(fake_store.jobs[0]->state, JOB_SUCCEEDED);
    CHECK_INT(fake_store.jobs[1]->state, JOB_CANCELLED);
}

/* --- what a process says of itself --- */

static atomic_int busy_beats, idle_beats;

static void see_beat(const void *record)
{
    const struct worker_beat *beat = record;
    if (beat->busy > 0)
        atomic_fetch_add(&busy_beats, 1);
    else if (atomic_load(&busy_beats) > 0)
        atomic_fetch_add(&idle_beats, 1);
}

static int until_seen(struct run *run, const void *params, void *result, struct err *err)
{
    (void)run, (void)params, (void)result, (void)err;
    wait_for(&busy_beats, 1);
    return 0;
}

static void *wait_for_idleness(void *unused)
{
    (void)unused;
    wait_for(&idle_beats, 1);
    kill(getpid(), SIGTERM);
    return NULL;
}

static void a_worker_that_has_become_idle_says_so(void)
{
    fake_seen_upsert = see_beat;
    fake_ticket(fake_start(1, "hello")->id, 0);
    pthread_t thread = in_thread(wait_for_idleness);
    run_worker(until_seen);
    pthread_join(thread, NULL);
    CHECK_INT(fake_store.jobs[0]->state, JOB_SUCCEEDED);
}

/* --- SIGTERM --- */

static int requeued(void)
{
    pthread_mutex_lock(&fake_broker.lock);
    int count = fake_broker.requeued;
    pthread_mutex_unlock(&fake_broker.lock);
    return count;
}

/* The first to run ends the process the way a service manager does: a signal to each process of the
 * group, and the parent's one on top. Tickets that wait go back while it still works. */
static int through_the_drain(struct run *run, const void *params, void *result, struct err *err)
{
    (void)run, (void)params, (void)result, (void)err;
    if (atomic_fetch_add(&started, 1) == 0) {
        kill(getpid(), SIGTERM);
        clock_sleep_ms(100);
        kill(getpid(), SIGTERM);
        while (requeued() == 0)
            clock_sleep_ms(100);
    }
    atomic_fetch_add(&successes, 1);
    return 0;
}

static void a_signal_to_the_whole_group_drains(void)
{
    config.worker.slots = 1;
    config.fleet.lease_s = 600;
    for (int i = 0; i < 8; i++)
        fake_ticket(fake_start(i, "hello")->id, 0);
    run_worker(through_the_drain);
    CHECK_INT(fake_store.succeeded, successes);
    CHECK(fake_store.succeeded >= 1);
    CHECK(fake_store.succeeded < 8);
    for (size_t i = 0; i < fake_broker.len; i++)
        CHECK(fake_broker.tickets[i].state != FAKE_OUT);
}

int main(void)
{
    CHECK(mkdtemp(workspace));
    CHECK_INT(in_child(many_jobs_and_many_faults, 20), PASSED);
    printf("ok many_jobs_and_many_faults\n");
    CHECK_INT(in_child(a_signal_to_the_whole_group_drains, 20), PASSED);
    printf("ok a_signal_to_the_whole_group_drains\n");
    CHECK_INT(in_child(a_worker_that_has_become_idle_says_so, 20), PASSED);
    printf("ok a_worker_that_has_become_idle_says_so\n");
    CHECK_INT(in_child(a_handler_that_returned_does_not_hang, 400), PASSED);
    printf("ok a_handler_that_returned_does_not_hang\n");
    CHECK_INT(in_child(a_run_that_waits_for_a_slot_does_not_hang, 400), PASSED);
    printf("ok a_run_that_waits_for_a_slot_does_not_hang\n");
    CHECK_INT(in_child(a_handler_that_hangs_takes_its_process_with_it, 400), 70);
    printf("ok a_handler_that_hangs_takes_its_process_with_it\n");
    ended_with =
        mmap(NULL, sizeof *ended_with, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(ended_with != MAP_FAILED);
    CHECK_INT(in_child(a_handler_that_hangs_past_its_time_is_settled, 400), 70);
    CHECK_INT(atomic_load(ended_with), ERR_TIMEOUT);
    printf("ok a_handler_that_hangs_past_its_time_is_settled\n");
    struct err err = {0};
    CHECK_INT(workspace_remove(workspace, &err), 0);
    return 0;
}
