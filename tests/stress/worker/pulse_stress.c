/* The pulse beside everybody else who holds runs: handlers that speak and end while it counts them,
 * a consumer that frees them, and a store that says at any time that a run was cancelled, or is not
 * ours any more, or nothing at all. */
#include "stress.h"

#include "fake_clock.h"

#include <unistd.h>

#include "common/log.h"
#include "common/store.h"
#include "worker/held.h"
#include "worker/run.h"
#include "worker/runtime.h"

enum { SPEED = 20, SLOTS = 24, RUNS = 1500, LEASE_MS = 30000, STEP_MS = 150, STEPS = 40 };
enum verdict { VERDICT_NONE, VERDICT_CANCELLED, VERDICT_LOST };

/* What the store thinks of each run. */
static struct {
    pthread_mutex_t lock;
    enum verdict verdict[RUNS];
    bool told[RUNS]; /* the verdict was given to the pulse */
    int64_t percent[RUNS];
    int pulses, renewed, away, beats;
    uint64_t dice;
} store = {.lock = PTHREAD_MUTEX_INITIALIZER, .dice = 1};

static struct worker worker = {.kind = KIND_HELLO};
static struct worker_config config = {.fleet.workspace = "/tmp"};
static struct runtime runtime = {.worker = &worker,
                                 .config = &config,
                                 .lease_ms = LEASE_MS,
                                 .slots = SLOTS,
                                 .id = "host.hello.1.1",
                                 .host = "host"};
static atomic_int ends[VERDICT_LOST + 1], freed, added, wakes;

/* --- doors --- */

void broker_wake(struct broker *broker)
{
    (void)broker;
    atomic_fetch_add(&wakes, 1);
}

static void judge(struct store_pulse *held)
{
    int number = atoi(held->job);
    enum verdict *verdict = &store.verdict[number];
    CHECK(held->percent >= store.percent[number]); /* a run's own words, in order */
    CHECK(*verdict != VERDICT_LOST);               /* what is not ours is not pulsed again */
    store.percent[number] = held->percent;
    CHECK(!held->message || strlen(held->message) == 4);
    if (*verdict == VERDICT_NONE && stress_chance(&store.dice, 60))
        *verdict = stress_chance(&store.dice, 500) ? VERDICT_CANCELLED : VERDICT_LOST;
    held->alive = *verdict != VERDICT_LOST;
    held->stop = *verdict == VERDICT_CANCELLED ? ERR_CANCELLED : ERR_NONE;
    held->rev++;
    store.told[number] |= *verdict != VERDICT_NONE;
    store.renewed += held->alive;
}

int store_pulse(struct store *unused, struct store_pulse *held, size_t len, const char *name,
                int64_t lease_until, struct err *err)
{
    (void)unused, (void)name;
    CHECK(lease_until > clock_now_ms());
    usleep(1000);
    pthread_mutex_lock(&store.lock);
    bool away = ++store.pulses % 7 == 0;
    store.away += away;
    for (size_t i = 0; i < len && !away; i++)
        judge(&held[i]);
    pthread_mutex_unlock(&store.lock);
    return away ? err_set(err, ERR_STORE_UNAVAILABLE, "away") : 0;
}

int store_upsert_many(struct store *unused, const char *collection, const struct doc *doc,
                      const void *records, size_t len, struct err *err)
{
    const struct worker_beat *beat = records;
    (void)unused, (void)collection, (void)doc, (void)err;
    CHECK_INT(len, 1);
    for (size_t i = 0; i < beat->active.len; i++)
        CHECK(strstr(beat->active.at[i], "/hello"));
    pthread_mutex_lock(&store.lock);
    store.beats++;
    pthread_mutex_unlock(&store.lock);
    return 0;
}

int store_ping(struct store *unused, struct err *err)
{
    (void)unused, (void)err;
    return 0;
}

int64_t store_commands(const struct store *unused)
{
    (void)unused;
    return 0;
}

int store_delete_many(struct store *unused, const char *collection, const struct doc *doc,
                      const char *const *ids, size_t len, struct err *err)
{
    (void)unused, (void)collection, (void)doc, (void)ids, (void)len, (void)err;
    return 0;
}

/* For handlers that hang, of which there are none here. */
int store_job(struct store *unused, const char *id, struct arena *arena, struct job *out,
              struct err *err)
{
    (void)unused, (void)id, (void)arena, (void)out;
    CHECK(!err);
    return -1;
}

int store_swap(struct store *unused, struct store_swap *swaps, size_t len, struct err *err)
{
    (void)unused, (void)swaps, (void)len;
    CHECK(!err);
    return -1;
}

/* --- the other threads --- */

static enum verdict verdict_of(struct run *run)
{
    struct err err = {0};
    if (!run_stopped(run))
        return VERDICT_NONE;
    CHECK_INT(run_stop_error(run, &err), -1);
    CHECK(err.code == ERR_CANCELLED || err.code == ERR_LEASE_LOST);
    return err.code == ERR_CANCELLED ? VERDICT_CANCELLED : VERDICT_LOST;
}

/* A stopped run was stopped because the store had said so. */
static void check_end(const struct run *run, enum verdict verdict)
{
    int number = atoi(run_job(run)->id);
    pthread_mutex_lock(&store.lock);
    if (verdict != VERDICT_NONE) {
        CHECK(store.told[number]);
        CHECK_INT(verdict, store.verdict[number]);
    }
    pthread_mutex_unlock(&store.lock);
    atomic_fetch_add(&ends[verdict], 1);
}

static void perform(struct run *run, uint64_t *dice)
{
    int steps = stress_chance(dice, 700) ? 0 : (int)(*dice >> 33) % STEPS;
    atomic_store(&run->working, true);
    for (int i = 0; i < steps && !run_stopped(run); i++) {
        run_progress(run, i, i % 2 ? "odd." : "even");
        run_usage(run, 1, 1);
        clock_sleep_ms(STEP_MS);
    }
    atomic_store(&run->working, false);
    check_end(run, verdict_of(run));
}

static void *slot(void *arg)
{
    uint64_t dice = stress_seed((uint64_t)(uintptr_t)arg);
    struct run *run;
    while (held_next(&runtime.held, &run)) {
        perform(run, &dice);
        held_done(&runtime, run);
    }
    return NULL;
}

static void free_done(void)
{
    for (struct run *run = held_take_done(&runtime.held), *next; run; run = next) {
        next = run->next;
        run_free(run);
        atomic_fetch_add(&freed, 1);
    }
}

/* Claims some runs together, as the consumer does; they share a lot. */
static void claim(int number, int len)
{
    const struct delivery delivery = {0};
    struct lot *lot = lot_new();
    for (int i = 0; i < len; i++) {
        struct job *job = arena_alloc(&lot->arena, sizeof *job);
        struct task *task = arena_alloc(&lot->arena, sizeof *task);
        *task = (struct task){.name = "hello", .run = 1, .timeout_s = 3600};
        task->lease_until = clock_now_ms() + LEASE_MS * 100;
        job->id = arena_printf(&lot->arena, "%d", number + i);
        job->tasks.at = task;
        job->tasks.len = 1;
        held_add(&runtime.held, run_new(&runtime, lot, job, 0, &delivery));
        atomic_fetch_add(&added, 1);
    }
    lot_drop(lot);
}

static void *consumer(void *unused)
{
    (void)unused;
    uint64_t dice = stress_seed(3);
    for (int number = 0; number < RUNS;) {
        int len = 1 + (int)(dice >> 33) % 16;
        len = len < RUNS - number ? len : RUNS - number;
        if (held_len(&runtime.held) < 2 * SLOTS) {
            claim(number, len);
            number += len;
        }
        CHECK(!held_has(&runtime.held, "-1", 0, 1));
        free_done();
        (void)stress_chance(&dice, 1);
        usleep(500);
    }
    while (atomic_load(&freed) < RUNS)
        free_done();
    return NULL;
}

static void everybody_at_once(void)
{
    struct err err = {0};
    pthread_t slots[SLOTS], one;
    held_init(&runtime.held);
    CHECK_INT(pulse_open(&runtime, &err), 0);
    for (size_t i = 0; i < SLOTS; i++)
        slots[i] = stress_thread(slot, (void *)(uintptr_t)(i + 10));
    one = stress_thread(consumer, NULL);
    pthread_join(one, NULL);
    held_close(&runtime.held);
    stress_join(slots, SLOTS);
    pulse_close(&runtime);
    CHECK_INT(held_len(&runtime.held), 0);
    held_release(&runtime.held);
    CHECK_INT(atomic_load(&added), RUNS);
    CHECK_INT(atomic_load(&freed), RUNS);
    CHECK_INT(ends[VERDICT_NONE] + ends[VERDICT_CANCELLED] + ends[VERDICT_LOST], RUNS);
    CHECK(ends[VERDICT_CANCELLED] > 0 && ends[VERDICT_LOST] > 0);
    CHECK(store.pulses > 10 && store.away > 0 && store.renewed > store.pulses && store.beats > 1);
    printf("# %d pulses, %d failed; %d runs cancelled, %d leases lost\n", store.pulses, store.away,
           ends[VERDICT_CANCELLED], ends[VERDICT_LOST]);
}

int main(void)
{
    log_open("stress", LOG_ERROR);
    fake_speed = SPEED;
    store.dice = stress_seed(1);
    runtime.kind = &kinds[KIND_HELLO];
    RUN(everybody_at_once);
    return 0;
}
