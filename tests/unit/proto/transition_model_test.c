/* A model of the whole fleet around one job, in memory: workers, reconcilers, callers and a broker
 * that loses and repeats messages interleave at random, and anyone may die between any two steps.
 * The store is a job with a revision; everybody reads a copy, applies a pure transition and saves
 * by compare-and-swap. After every save the invariants are checked. usage:
 * unit.proto.transition_model [SEED [RUNS]] */
#include "check.h"

#include "proto/recipe.h"
#include "proto/transition.h"

enum { TASKS = RECIPE_TASKS_MAX, WORKERS = 4, MESSAGES = 16, CHAOS = 250 };

struct copy {
    struct job job;
    struct task tasks[TASKS];
};
enum intent { IDLE, HOLDS, SETTLES, RECONCILES, CANCELS, FINISHES, TAKES_OVER };
struct actor {
    enum intent intent;
    struct copy read; /* what it knows */
    size_t task;
    int64_t run;
    struct outcome outcome;
};
struct model {
    struct copy store;
    const char *needs[TASKS][RECIPE_NEEDS_MAX];
    struct actor actors[WORKERS + 3];
    size_t messages[MESSAGES], messages_len;
    int64_t now, results[TASKS];
    bool chaos;
    uint64_t random;
};

static uint64_t draw(struct model *m, uint64_t below)
{
    m->random ^= m->random << 13;
    m->random ^= m->random >> 7;
    m->random ^= m->random << 17;
    return (m->random >> 11) % below;
}

static bool chance(struct model *m, unsigned percent)
{
    return m->chaos && draw(m, 100) < percent;
}

static void copy_job(struct copy *to, const struct copy *from)
{
    *to = *from;
    to->job.tasks.at = to->tasks;
}

static int64_t earliest_duty(const struct model *m)
{
    const struct job *job = &m->store.job;
    int64_t duty = job_finishing(job) ? m->now + JOB_PUBLISH_MAX_MS : INT64_MAX;
    for (size_t i = 0; i < job->tasks.len; i++) {
        const struct task *task = &job->tasks.at[i];
        int64_t at = INT64_MAX;
        if (task->state == TASK_RUNNING)
            at = task->lease_until;
        else if (task->state == TASK_QUEUED)
            at = task->due_at > m->now ? task->due_at : m->now + JOB_PUBLISH_MAX_MS;
        else if (task->state == TASK_WAITING && task->due_at)
            at = task->due_at;
        duty = at < duty ? at : duty;
    }
    return duty;
}

static void check_task(struct model *m, const struct task *was, const struct task *is, size_t i)
{
    CHECK(is->percent >= was->percent);
    CHECK(is->run >= was->run);
    CHECK(is->failures <= is->max_attempts);
    CHECK(is->crashes <= JOB_CRASHES_MAX);
    CHECK(!task_ended(was) || is->state == was->state);
    if (task_ended(is))
        CHECK_INT(is->percent, 100);
    if (is->state == TASK_SUCCEEDED && was->state != TASK_SUCCEEDED)
        m->results[i]++;
    CHECK(m->results[i] <= 1);
    CHECK(is->state != TASK_SUCCEEDED || m->results[i] == 1);
    if (m->store.job.stop.code)
        CHECK(is->state != TASK_WAITING && is->state != TASK_QUEUED);
}

static void check_saved(struct model *m, const struct copy *was)
{
    const struct job *job = &m->store.job;
    CHECK(!job_terminal(&was->job));
    CHECK(job_percent(job) >= job_percent(&was->job));
    CHECK_INT(job_percent(job) == 100, job_terminal(job));
    for (size_t i = 0; i < job->tasks.len; i++)
        check_task(m, &was->tasks[i], &m->store.tasks[i], i);
    if (job_terminal(job))
        CHECK_INT(job->alarm_at, 0);
    else
        CHECK(job->alarm_at > 0 && job->alarm_at <= earliest_duty(m));
    for (size_t i = 0; job_terminal(job) && i < job->tasks.len; i++)
        CHECK(task_ended(&job->tasks.at[i]));
    if (job->state == JOB_SUCCEEDED)
        for (size_t i = 0; i < job->tasks.len; i++)
            CHECK(job->tasks.at[i].optional || m->results[i] == 1);
}

/* Only the difference to what was read is written: what pulses wrote meanwhile, without a rev,
 * stays. */
static bool save(struct model *m, const struct copy *read, const struct copy *changed)
{
    struct copy was;
    if (read->job.rev != m->store.job.rev)
        return false;
    copy_job(&was, &m->store);
    copy_job(&m->store, changed);
    for (size_t i = 0; i < was.job.tasks.len; i++) {
        if (changed->tasks[i].percent == read->tasks[i].percent)
            m->store.tasks[i].percent = was.tasks[i].percent;
        if (changed->tasks[i].lease_until == read->tasks[i].lease_until)
            m->store.tasks[i].lease_until = was.tasks[i].lease_until;
    }
    m->store.job.rev++;
    check_saved(m, &was);
    return true;
}

static void publish(struct model *m)
{
    for (size_t i = 0; i < m->store.job.tasks.len; i++)
        if (job_due(&m->store.job, i, m->now) && !chance(m, 20))
            for (int copies = chance(m, 15) ? 2 : 1; copies > 0 && m->messages_len < MESSAGES;
                 copies--)
                m->messages[m->messages_len++] = i;
}

/* A worker takes a message: the claim is one conditional write. */
static void deliver(struct model *m, struct actor *a)
{
    if (m->messages_len == 0)
        return;
    size_t at = draw(m, m->messages_len);
    size_t task = m->messages[at];
    m->messages[at] = m->messages[--m->messages_len];
    struct copy was;
    copy_job(&was, &m->store);
    if (!job_claim(&m->store.job, task, "w", m->now, JOB_LEASE_MS)) {
        if (job_finishing(&m->store.job)) {
            a->intent = FINISHES;
            copy_job(&a->read, &m->store);
        }
        return;
    }
    m->store.job.rev++;
    check_saved(m, &was);
    if (chance(m, 10)) /* dies right after the claim */
        return;
    a->intent = HOLDS;
    a->task = task;
    a->run = m->store.tasks[task].run;
}

static struct outcome some_outcome(struct model *m)
{
    static const enum error codes[] = {ERR_DEBUG_TRANSIENT, ERR_DEBUG_PERMANENT, ERR_SHUTTING_DOWN,
                                       ERR_CANCELLED};
    struct outcome outcome = {.jitter_pm = (int64_t)draw(m, 401) - 200};
    if (m->store.job.stop.code && draw(m, 2))
        outcome.error.code = ERR_CANCELLED;
    else if (chance(m, 35))
        outcome.error.code = codes[draw(m, 3)];
    return outcome;
}

/* Renews the lease as the pulse does: conditional on the run, no rev, no alarm. */
static void pulse(struct model *m, struct actor *a)
{
    struct task *task = &m->store.tasks[a->task];
    if (task->state != TASK_RUNNING || task->run != a->run || task->lease_until <= m->now) {
        a->intent = IDLE; /* not ours any more, or too late to say so: the zombie gives up */
        return;
    }
    task->lease_until = m->now + JOB_LEASE_MS;
    int64_t percent = (int64_t)draw(m, 100);
    task->percent = percent > task->percent ? percent : task->percent;
}

static bool apply(struct model *m, struct actor *a, struct copy *changed)
{
    switch (a->intent) {
    case SETTLES:
        return job_settle(&changed->job, a->task, a->run, &a->outcome, m->now);
    case CANCELS:
        return job_stop(&changed->job, ERR_CANCELLED, "caller", m->now);
    case FINISHES:
        return job_finish(&changed->job, m->now);
    case TAKES_OVER:
        return job_take_over(&changed->job, a->task, draw(m, 2) ? "v" : NULL, m->now, JOB_LEASE_MS);
    case RECONCILES:
        if (job_terminal(&changed->job) || changed->job.alarm_at > m->now)
            return false;
        if (!job_expire(&changed->job, m->now))
            job_nudge(&changed->job, m->now);
        return true;
    default:
        return false;
    }
}

/* What was saved must have been this actor's to say. */
static void check_right(const struct model *m, const struct actor *a)
{
    if (a->intent == SETTLES) {
        CHECK_INT(a->read.tasks[a->task].state, TASK_RUNNING);
        CHECK_INT(a->read.tasks[a->task].run, a->run);
    }
    for (size_t i = 0; a->intent == RECONCILES && i < a->read.job.tasks.len; i++)
        if (m->store.tasks[i].crashes > a->read.tasks[i].crashes)
            CHECK(a->read.tasks[i].lease_until <= m->now);
}

/* The second half of read – apply – save. A conflict reads again and stays; who does not apply goes
 * home. */
static void complete(struct model *m, struct actor *a)
{
    struct copy changed;
    copy_job(&changed, &a->read);
    if (chance(m, 8)) { /* dies */
        a->intent = IDLE;
        return;
    }
    bool applied = apply(m, a, &changed);
    if (applied && !save(m, &a->read, &changed)) {
        copy_job(&a->read, &m->store);
        return;
    }
    if (applied)
        check_right(m, a);
    enum intent was = a->intent;
    a->intent = IDLE;
    if (!applied || chance(m, 8)) /* or dies before it publishes */
        return;
    publish(m);
    if (was == SETTLES && job_finishing(&m->store.job)) {
        a->intent = FINISHES;
        copy_job(&a->read, &m->store);
    }
    if (was == TAKES_OVER && m->store.tasks[a->task].state == TASK_RUNNING)
        a->intent = chance(m, 50) ? IDLE : HOLDS, a->run = m->store.tasks[a->task].run;
    if (was == RECONCILES && job_finishing(&m->store.job) && m->messages_len < MESSAGES)
        m->messages[m->messages_len++] = 0; /* a ticket makes some worker finish it */
}

static void step(struct model *m)
{
    size_t who = draw(m, WORKERS + 3);
    struct actor *a = &m->actors[who];
    if (a->intent == HOLDS && draw(m, 3)) {
        pulse(m, a);
    } else if (a->intent == HOLDS) {
        a->intent = chance(m, 15) ? IDLE : SETTLES;
        a->outcome = some_outcome(m);
        copy_job(&a->read, &m->store);
    } else if (a->intent != IDLE) {
        complete(m, a);
    } else if (who < WORKERS) {
        size_t task = draw(m, m->store.job.tasks.len);
        a->task = task;
        copy_job(&a->read, &m->store);
        if (chance(m, 3) && m->store.tasks[task].state == TASK_RUNNING)
            a->intent = TAKES_OVER;
        else if (chance(m, 3))
            a->intent = FINISHES; /* too early or too late */
        else
            deliver(m, a);
    } else {
        bool cancels = who == WORKERS + 2;
        if (cancels && !chance(m, 2))
            return;
        a->intent = cancels ? CANCELS : RECONCILES;
        copy_job(&a->read, &m->store);
    }
}

static void pass_time(struct model *m)
{
    if (draw(m, 4) == 0)
        m->now += (int64_t)draw(m, 4000);
    if (draw(m, 12) == 0 && m->store.job.alarm_at > m->now)
        m->now = m->store.job.alarm_at;
}

static void run_model(uint64_t seed, const char *recipe)
{
    struct model m = {.random = seed * 0x9E3779B97F4A7C15u + 1, .now = 1000000, .chaos = true};
    m.store.job.id = "model";
    recipe_plan(recipe_find(recipe), &m.store.job, m.store.tasks, m.needs);
    job_start(&m.store.job, m.now);
    publish(&m);
    int after = 0;
    for (int steps = 0; steps < CHAOS * 20 && after < 40; steps++) {
        m.chaos = steps < CHAOS;
        step(&m);
        pass_time(&m);
        after += job_terminal(&m.store.job);
    }
    if (!job_terminal(&m.store.job)) {
        fprintf(stderr, "seed %llu: not terminal after %d steps\n", (unsigned long long)seed,
                CHAOS * 20);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t runs = argc > 2 ? strtoull(argv[2], NULL, 10) : 4000;
    for (uint64_t i = 0; i < runs; i++)
        run_model(seed + i, i % 4 ? "media.store" : "hello");
    printf("ok %llu random lives of a job, seeds from %llu\n", (unsigned long long)runs,
           (unsigned long long)seed);
    return 0;
}
