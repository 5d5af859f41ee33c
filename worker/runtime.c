/* The child process of a worker: opens its doors, consumes, drains. */
#include "worker/runtime.h"

#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "worker/batch.h"
#include "worker/dead.h"
#include "worker/held.h"
#include "worker/intake.h"
#include "worker/room.h"
#include "worker/workspace.h"

enum {
    WAIT_MS = 500, /* longest sleep of the consumer: bounds how late a signal is seen */
    GATHER_MS = 1, /* short tasks: how long more tickets are waited for */
    STORE_RETRY_MS = 500,
    SAME_STOP_MS = 500,
    STOP_MS = 5000, /* after the drain time: how long stopped handlers may take */
    PUBLISH_DRAIN_MS = 2000
};

static atomic_llong stopped_mono; /* 0: not yet */

/* One stop may come twice: a terminal or a service manager tells every process of the group, and
 * the parent passes on what it was told. Only a later one means "at once". */
static void on_stop(int signal)
{
    (void)signal;
    long long never = 0, now = clock_mono_ms();
    if (!atomic_compare_exchange_strong(&stopped_mono, &never, now) && now - never > SAME_STOP_MS)
        _exit(0);
}

/* The parent blocks what it catches until a child can catch it, too. */
static void catch_signals(void)
{
    struct sigaction stop = {.sa_handler = on_stop};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction usual = {.sa_handler = SIG_DFL};
    sigset_t none;
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGCHLD, &usual, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void name_self(struct runtime *runtime)
{
    if (gethostname(runtime->host, sizeof runtime->host))
        strcpy(runtime->host, "localhost");
    runtime->host[sizeof runtime->host - 1] = '\0';
    runtime->started_at = clock_now_ms();
    snprintf(runtime->id, sizeof runtime->id, "%s.%s.%d.%llx", runtime->host, runtime->kind->name,
             (int)getpid(), (unsigned long long)runtime->started_at);
}

/* Batched kinds take more tickets than they have slots, so that a claim finds a batch waiting. */
static uint16_t prefetch(const struct runtime *runtime)
{
    int64_t wanted = runtime->slots * (runtime->kind->batched ? 4 : 1);
    return (uint16_t)(wanted > INTAKE_MAX / 2 ? INTAKE_MAX / 2 : wanted);
}

static int open_doors(struct runtime *runtime, struct err *err)
{
    const struct worker_config *config = runtime->config;
    workspace_forget_dead(config->fleet.workspace, runtime->host);
    if (workspace_lock(config->fleet.workspace, runtime->id, &runtime->lock_fd, err) ||
        store_open(&runtime->store, &config->store, runtime->id, err) ||
        publisher_open(&runtime->publisher, config->fleet.amqp_url, runtime->id, err) ||
        broker_open(&runtime->broker, config->fleet.amqp_url, runtime->kind->queue,
                    prefetch(runtime), runtime->id, err))
        return -1;
    if (runtime->worker->open && runtime->worker->open(config->kind, err))
        return -1;
    runtime->batch = batch_new(runtime->store, &runtime->held);
    return slots_open(runtime, err) || pulse_open(runtime, err) ? -1 : 0;
}

static void close_doors(struct runtime *runtime)
{
    slots_close(runtime);
    pulse_close(runtime);
    batch_free(runtime->batch);
    publisher_free(runtime->publisher, PUBLISH_DRAIN_MS);
    dead_acknowledge(runtime); /* the publisher has answered everything */
    broker_free(runtime->broker);
    store_free(runtime->store);
    workspace_unlock(runtime->config->fleet.workspace, runtime->id, runtime->lock_fd);
    held_release(&runtime->held);
}

static void acknowledge_done(struct runtime *runtime)
{
    dead_acknowledge(runtime);
    struct run *run = held_take_done(&runtime->held);
    if (!run)
        return;
    broker_gather(runtime->broker, true);
    while (run) {
        struct run *next = run->next;
        struct err err = {0};
        int failed = run->requeue ? broker_reject(runtime->broker, &run->delivery, true, &err)
                                  : broker_ack(runtime->broker, &run->delivery, &err);
        if (failed)
            log_event(LOG_WARN, "ack-failed", "detail", err.detail, NULL);
        run_free(run);
        run = next;
    }
    broker_gather(runtime->broker, false);
}

/* Takes what the broker has; -1 only when going on makes no sense. */
static int receive(struct runtime *runtime, struct intake *intake, struct err *err)
{
    struct delivery delivery[INTAKE_BATCH];
    size_t room = INTAKE_MAX - intake->len;
    int wait_ms = intake->len && intake_room(intake) ? 0 : WAIT_MS;
    int gather_ms = runtime->kind->batched ? GATHER_MS : 0;
    bool was = broker_connected(runtime->broker);
    int len = broker_next(runtime->broker, delivery, room < INTAKE_BATCH ? room : INTAKE_BATCH,
                          wait_ms, gather_ms, err);
    if (len < 0 && err->code == ERR_CONFIG)
        return -1;
    if (was && !broker_connected(runtime->broker))
        log_event(LOG_WARN, "broker-lost", "detail", err->detail, NULL);
    else if (!was && broker_connected(runtime->broker))
        log_event(LOG_INFO, "broker-connected", "queue", runtime->kind->queue, NULL);
    for (int i = 0; i < len; i++)
        intake_add(intake, &delivery[i]);
    return 0;
}

/* A task begun without room in the workspace would only fail, and count as a failure. Tickets wait
 * where they are. */
static bool has_room(struct runtime *runtime, struct room *room)
{
    const struct fleet_settings *fleet = &runtime->config->fleet;
    if (!runtime->kind->room_percent)
        return true;
    int64_t free_bytes = workspace_free_bytes(fleet->workspace);
    return room_left(room, runtime->kind, free_bytes, fleet->min_free_bytes, clock_mono_ms());
}

static bool may_claim(struct runtime *runtime, struct room *room)
{
    bool claim = has_room(runtime, room);
    enum error why = circuit_state(&runtime->circuit, &runtime->config->bucket);
    if (why != ERR_NONE)
        claim = false;
    else if (room->full)
        why = ERR_DISK_FULL;
    enum error was = atomic_exchange(&runtime->paused, why);
    if (why != was)
        log_event(why ? LOG_WARN : LOG_INFO, why ? "paused" : "resumed", "code",
                  error_name(why ? why : was), NULL);
    return claim;
}

static void claim_or_wait(struct intake *intake, bool *store_away)
{
    struct err err = {0};
    /* Leases are told by the store's clock: it is asked before the first claim. */
    bool away = (*store_away && store_ping(intake->runtime->store, &err)) ||
                intake_claim(intake, &err) != 0;
    if (away && !*store_away)
        log_event(LOG_WARN, "store-lost", "detail", err.detail, NULL);
    else if (!away && *store_away)
        log_event(LOG_INFO, "store-connected", NULL);
    *store_away = away;
    if (away)
        clock_sleep_ms(STORE_RETRY_MS);
}

/* Takes no more tickets; those that wait go back at once to whoever has time. */
static void stop_taking(struct runtime *runtime, struct intake *intake)
{
    struct err err = {0};
    atomic_store(&runtime->draining, true);
    log_event(LOG_INFO, "draining", NULL);
    if (broker_cancel(runtime->broker, &err))
        log_event(LOG_WARN, "cancel-failed", "detail", err.detail, NULL);
    intake_hand_back(intake);
}

/* Waits for what runs, then hands back what still runs. */
static void drain(struct runtime *runtime)
{
    int64_t began = clock_mono_ms();
    int64_t patience = runtime->config->worker.drain_s * 1000;
    for (;;) {
        acknowledge_done(runtime);
        int64_t passed = clock_mono_ms() - began;
        if (held_len(&runtime->held) == 0 || passed > patience + STOP_MS)
            break;
        if (passed > patience)
            held_stop(&runtime->held, ERR_SHUTTING_DOWN);
        struct delivery ignored; /* its channel closes soon, which hands it back */
        struct err away = {0};
        if (broker_next(runtime->broker, &ignored, 1, 100, 0, &away) < 0)
            clock_sleep_ms(50);
    }
    acknowledge_done(runtime);
}

static int consume(struct runtime *runtime, struct err *err)
{
    struct intake *intake = calloc(1, sizeof *intake);
    if (!intake)
        abort();
    intake->runtime = runtime;
    bool store_away = true;
    struct room room = {0};
    int failed = 0;
    while (!atomic_load(&stopped_mono) && !failed) {
        *err = (struct err){0};
        acknowledge_done(runtime);
        failed = receive(runtime, intake, err);
        if (!failed && may_claim(runtime, &room))
            claim_or_wait(intake, &store_away);
        else if (!failed && intake->len > 0)
            clock_sleep_ms(WAIT_MS); /* else receive() would not wait, either */
        atomic_store(&runtime->pending, (long long)(intake->len + intake->solitaries));
    }
    stop_taking(runtime, intake);
    atomic_store(&runtime->pending, 0);
    free(intake);
    return failed;
}

int runtime_run(const struct worker *worker, const struct worker_config *config)
{
    struct err err = {0};
    struct runtime runtime = {
        .worker = worker, .kind = &kinds[worker->kind], .config = config, .lock_fd = -1};
    runtime.slots = config->worker.slots ? config->worker.slots : runtime.kind->slots;
    runtime.lease_ms = config->fleet.lease_s * 1000;
    mallopt(M_ARENA_MAX, 2); /* a hundred threads, a few megabytes */
    catch_signals();
    name_self(&runtime);
    held_init(&runtime.held);
    circuit_init(&runtime.circuit);
    if (open_doors(&runtime, &err)) {
        log_event(LOG_ERROR, "start-failed", "code", error_name(err.code), "detail", err.detail,
                  NULL);
        _exit(err.code == ERR_CONFIG ? EX_CONFIG : EX_UNAVAILABLE);
    }
    log_event(LOG_INFO, "started", "worker", runtime.id, NULL);
    int failed = consume(&runtime, &err);
    if (failed)
        log_event(LOG_ERROR, "broker-refuses", "detail", err.detail, NULL);
    drain(&runtime);
    if (held_len(&runtime.held) > 0) {
        log_event(LOG_ERROR, "drain-incomplete", NULL); /* whoever gets their tickets looks here */
        workspace_leave(runtime.lock_fd);
        _exit(EX_SOFTWARE);
    }
    close_doors(&runtime);
    log_event(LOG_INFO, "stopped", NULL);
    return failed ? EX_CONFIG : 0;
}
