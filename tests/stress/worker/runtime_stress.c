/* A worker process under load and bad luck: a store that goes away and loses answers, a broker that
 * repeats tickets, callers that cancel, tasks that fail; then SIGTERM, once when all is done and
 * once in the middle of it. The clock runs fast. Each case is a process of its own. */
#include "stress.h"

#include "fake_broker.h"
#include "fake_clock.h"
#include "fake_publisher.h"
#include "fake_store.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"
#include "proto/hello.h"
#include "worker/runtime.h"
#include "worker/workspace.h"

enum { PASSED = 42, SPEED = 20, JOBS = 1500, TICK_MS = 100, QUIET = 60 };
/* Every so many rounds something happens. */
enum { CANCEL = 2, AWAY = 10, BROKEN = 7 };

static char workspace[] = "/tmp/runtime-stress-XXXXXX";
static struct worker_config config = {.fleet = {.lease_s = 100, .workspace = workspace},
                                      .worker = {.slots = 48, .drain_s = 600}};
static atomic_int done, stopped;
static int cancelled, away, broken; /* what the chaos did */

static int in_child(void (*body)(void))
{
    fflush(stdout);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        fake_speed = SPEED;
        body();
        fflush(stdout);
        _exit(PASSED);
    }
    int status;
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Speaks of itself all the time, may be stopped at any time, and fails now and then. */
static int work(struct run *run, const void *params, void *result, struct err *err)
{
    (void)params, (void)result;
    uint64_t dice = stress_seed((uint64_t)atoi(run_job(run)->id + 20));
    int steps = (int)(dice >> 33) % 9;
    for (int i = 0; i < steps; i++) {
        run_progress(run, i * 10, i % 2 ? "one" : "another");
        run_usage(run, 1, 1);
        clock_sleep_ms(200);
        if (run_stopped(run)) {
            atomic_fetch_add(&stopped, 1);
            return run_stop_error(run, err);
        }
    }
    if (steps == 8 && run_task(run)->failures == 0)
        return err_set(err, ERR_DEBUG_TRANSIENT, "once");
    atomic_fetch_add(&done, 1);
    return 0;
}

static void start_jobs(void)
{
    for (int i = 0; i < JOBS; i++) {
        struct job *job = fake_start(i, "hello");
        fake_ticket(job->id, 0);
        if (i % 3 == 0)
            fake_ticket(job->id, 0);
    }
    fake_publisher.on_sent = fake_ticket;
}

/* With the store's lock: what the reconciler of a gateway does. */
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

/* With the store's lock: a job that runs, if there is one near. */
static void cancel(size_t at)
{
    while (at < fake_store.len - 1 && fake_store.jobs[at]->tasks.at[0].state != TASK_RUNNING)
        at++;
    struct job *job = fake_store.jobs[at], *after = fake_copy(job, &fake_store.memory);
    cancelled +=
        job_stop(after, ERR_CANCELLED, "somebody", clock_now_ms()) && fake_save(job, after);
}

/* What a gateway's reconciler does all the time; how many jobs have ended. */
static int reconcile(void)
{
    clock_sleep_ms(TICK_MS);
    pthread_mutex_lock(&fake_store.lock);
    for (size_t i = 0; i < fake_store.len; i++)
        if (fake_store.jobs[i]->alarm_at && fake_store.jobs[i]->alarm_at <= clock_now_ms())
            look_at(fake_store.jobs[i]);
    int terminal = fake_store.terminal;
    pthread_mutex_unlock(&fake_store.lock);
    return terminal;
}

static void harm(int round, int most, uint64_t *dice)
{
    (void)stress_chance(dice, 500); /* the next throw */
    pthread_mutex_lock(&fake_store.lock);
    if (round % CANCEL == 0)
        cancel((*dice >> 20) % JOBS);
    if (round % AWAY == 0) {
        fake_store.away = (int)(*dice >> 33) % 12;
        away++;
    }
    bool early = fake_store.terminal < most / 2;
    pthread_mutex_unlock(&fake_store.lock);
    /* A claim that was lost with its connection is known when its ticket has come again: that takes
     * its time, and the end of the process is no crash. */
    if (early && round % BROKEN == 0) {
        fake_break();
        broken++;
    }
}

/* Until so many jobs have ended; then the stop. The last ones end in peace: who is alone with a
 * store that is away every second would never end. */
static void *chaos(void *until)
{
    uint64_t dice = stress_seed(7);
    int most = *(const int *)until;
    for (int round = 1; reconcile() < most - QUIET; round++)
        harm(round, most, &dice);
    while (reconcile() < most)
        ;
    kill(getpid(), SIGTERM);
    return NULL;
}

static void run_worker(int until)
{
    const struct worker worker = {.kind = KIND_HELLO, .handle = work};
    start_jobs();
    fake_store.lost_pm = 60;
    pthread_t thread = stress_thread(chaos, &until);
    CHECK_INT(runtime_run(&worker, &config), 0);
    pthread_join(thread, NULL);
    CHECK(away > 0 && broken > 0 && cancelled > 0 && atomic_load(&stopped) > 0);
}

static int jobs_in(enum job_state state)
{
    int count = 0;
    for (size_t i = 0; i < fake_store.len; i++)
        count += fake_store.jobs[i]->state == state;
    return count;
}

/* Every task that succeeded did so once, by a handler that said so, and nobody died. */
static void check_tasks(void)
{
    int succeeded = 0;
    for (size_t i = 0; i < fake_store.len; i++) {
        const struct task *task = &fake_store.jobs[i]->tasks.at[0];
        CHECK_INT(task->crashes, 0);
        CHECK(task->state != TASK_RUNNING);
        succeeded += task->state == TASK_SUCCEEDED;
    }
    CHECK_INT(succeeded, fake_store.succeeded);
    CHECK(succeeded <= atomic_load(&done));
    CHECK(jobs_in(JOB_SUCCEEDED) <= succeeded); /* a cancel may come after it */
}

static void until_everything_is_done(void)
{
    run_worker(JOBS);
    CHECK_INT(fake_store.terminal, JOBS);
    CHECK_INT(jobs_in(JOB_SUCCEEDED) + jobs_in(JOB_CANCELLED), JOBS);
    check_tasks();
    printf("# %d succeeded, %d cancelled, %d handlers stopped\n", jobs_in(JOB_SUCCEEDED),
           jobs_in(JOB_CANCELLED), atomic_load(&stopped));
}

/* What has not ended is left to others: no task runs, no ticket is held. */
static void in_the_middle_of_everything(void)
{
    config.worker.drain_s = 0;
    run_worker(JOBS / 3);
    check_tasks();
    for (size_t i = 0; i < fake_broker.len; i++)
        CHECK(fake_broker.tickets[i].state != FAKE_OUT);
    CHECK(fake_store.terminal >= JOBS / 3);
    CHECK(fake_store.terminal < JOBS);
    printf("# %d ended, %d left\n", fake_store.terminal, JOBS - fake_store.terminal);
}

int main(void)
{
    log_open("stress", LOG_ERROR);
    CHECK(mkdtemp(workspace));
    CHECK_INT(in_child(until_everything_is_done), PASSED);
    printf("ok until_everything_is_done\n");
    CHECK_INT(in_child(in_the_middle_of_everything), PASSED);
    printf("ok in_the_middle_of_everything\n");
    struct err err = {0};
    CHECK_INT(workspace_remove(workspace, &err), 0);
    return 0;
}
