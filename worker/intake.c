/* Tickets become runs; what cannot be claimed is dropped, finished, or taken over from the dead. */
#include "worker/intake.h"

#include <stdlib.h>
#include <string.h>

#include "common/change.h"
#include "common/clock.h"
#include "common/doc_json.h"
#include "common/log.h"
#include "common/reconcile.h"
#include "proto/file_path.h"
#include "proto/ticket.h"
#include "worker/dead.h"
#include "worker/held.h"
#include "worker/workspace.h"

enum {
    SOLITARY_MS = 60000, /* how long others wait for tasks that must be alone */
    SOLITARY_NUDGES = 7, /* but one that nobody had room for so often is waited for */
    ASK_MS = 3000        /* at the end: how long claims that were lost are asked for */
};

size_t intake_room(struct intake *intake)
{
    struct runtime *runtime = intake->runtime;
    size_t held = held_len(&runtime->held);
    size_t most = (size_t)runtime->slots * (runtime->kind->batched ? 2 : 1);
    if (held == 0)
        intake->alone = false;
    if (intake->alone || (intake->solitaries && held > 0))
        return 0;
    if (intake->solitaries)
        return 1;
    return held < most ? most - held : 0;
}

static void acknowledge(struct intake *intake, const struct delivery *delivery)
{
    struct err err = {0};
    if (broker_ack(intake->runtime->broker, delivery, &err))
        log_event(LOG_WARN, "ack-failed", "detail", err.detail,
                  NULL); /* it comes again, and is dropped then */
}

static void drop(struct intake *intake, const struct delivery *delivery)
{
    atomic_fetch_add(&intake->runtime->counters.dropped, 1);
    acknowledge(intake, delivery);
}

static void give_back(struct intake *intake, const struct delivery *delivery)
{
    struct err err = {0};
    if (broker_reject(intake->runtime->broker, delivery, true, &err))
        log_event(LOG_WARN, "reject-failed", "detail", err.detail,
                  NULL); /* it comes again anyway */
}

static int read_ticket(const struct delivery *delivery, struct arena *arena,
                       struct intake_item *item, struct err *err)
{
    struct ticket ticket;
    const char *why = "a ticket's job is a ULID";
    if (delivery->len > TICKET_MAX_BYTES)
        return err_set(err, ERR_OUT_OF_RANGE, "a ticket of %zu bytes", delivery->len);
    if (doc_json_decode(&ticket_doc, delivery->body, delivery->len, DOC_JSON_LENIENT, arena,
                        &ticket, err))
        return -1;
    if (ticket.v != TICKET_VERSION)
        return err_set(err, ERR_INVALID_VALUE, "ticket version %lld", (long long)ticket.v);
    if (ticket.task < 0 || ticket.task >= JOB_TASKS_MAX)
        return err_set(err, ERR_OUT_OF_RANGE, "task index %lld", (long long)ticket.task);
    if (!ticket.job || ulid_check(ticket.job, &why) != ERR_NONE)
        return err_set(err, ERR_INVALID_ID, "%s", why);
    *item = (struct intake_item){.delivery = *delivery, .task = (size_t)ticket.task};
    memcpy(item->job, ticket.job, sizeof item->job);
    return 0;
}

void intake_add(struct intake *intake, const struct delivery *delivery)
{
    struct arena arena = {0};
    struct err err = {0};
    /* What waits from a channel that is gone comes again on the new one. */
    if (intake->len && intake->pending[0].delivery.epoch != delivery->epoch)
        intake->len = intake->unsure = 0;
    if (intake->solitaries && intake->solitary[0].delivery.epoch != delivery->epoch)
        intake->solitaries = 0;
    if (read_ticket(delivery, &arena, &intake->pending[intake->len], &err))
        dead_bury(intake->runtime, delivery, &err);
    else
        intake->len++;
    arena_release(&arena);
}

static void begin(struct intake *intake, struct lot *lot, struct job *job, size_t task,
                  const struct delivery *delivery, bool finish_only)
{
    struct run *run = run_new(intake->runtime, lot, job, task, delivery);
    run->finish_only = finish_only;
    if (!finish_only) {
        atomic_fetch_add(&intake->runtime->counters.claimed, 1);
        intake->alone |= job->tasks.at[task].crashes >= JOB_CRASHES_ALONE;
    }
    held_add(&intake->runtime->held, run);
}

struct death {
    const struct runtime *runtime;
    size_t task;
    int64_t number;
    const char *heir; /* who goes on at once, NULL: whoever takes the next ticket */
};

static bool take_over(struct job *draft, void *arg)
{
    const struct death *death = arg;
    const struct task *task = &draft->tasks.at[death->task];
    if (task->state != TASK_RUNNING || task->run != death->number)
        return false;
    return job_take_over(draft, death->task, death->heir, clock_now_ms(), death->runtime->lease_ms);
}

/* Who goes on with a dead one's task: this process, unless one of the two must be alone. */
static const char *heir(const struct intake *intake, const struct task *task)
{
    struct runtime *runtime = intake->runtime;
    bool shares = !intake->alone && task->crashes + 1 < JOB_CRASHES_ALONE;
    return shares || held_len(&runtime->held) == 0 ? runtime->id : NULL;
}

/* The holder died on this host: its lock is free. This process goes on with the task at once, or
 * gives it to one that is empty, so that a task which kills its process kills nobody else's. */
static int succeed_dead(struct intake *intake, struct lot *lot, struct job *job, size_t task,
                        const struct delivery *delivery, struct err *err)
{
    struct runtime *runtime = intake->runtime;
    struct death death = {runtime, task, job->tasks.at[task].run,
                          heir(intake, &job->tasks.at[task])};
    struct job *after = NULL;
    int answer =
        change_job(runtime->store, job->id, job, take_over, &death, &lot->arena, &after, err);
    if (answer < 0)
        return -1;
    if (answer == 0) {
        const struct task *is = &after->tasks.at[task];
        atomic_fetch_add(&runtime->counters.crashes_seen, 1);
        log_event(LOG_WARN, "taken-over", "job", after->id, "task", is->name, "state",
                  task_state_names[is->state], NULL);
        if (is->state == TASK_RUNNING)
            return begin(intake, lot, after, task, delivery, false), 0;
        if (reconcile_publish(runtime->publisher, after, clock_now_ms(), err))
            return -1;
    }
    drop(intake, delivery);
    return 0;
}

static bool hand_back(struct job *draft, void *arg)
{
    static const struct outcome lost = {
        .error = {ERR_STORE_UNAVAILABLE, "its worker lost the store"}};
    const struct death *death = arg;
    return job_settle(draft, death->task, death->number, &lost, clock_now_ms());
}

/* Nobody died: the run was claimed for this process, which does not know of it (the store's answer
 * was lost), or by one that had to leave before it could settle. If the run ended just now, the
 * swap finds that it does not apply. */
static int release(struct intake *intake, struct lot *lot, struct job *job, size_t task,
                   const struct delivery *delivery, struct err *err)
{
    struct runtime *runtime = intake->runtime;
    struct death death = {runtime, task, job->tasks.at[task].run, NULL};
    struct job *after = NULL;
    int answer =
        change_job(runtime->store, job->id, job, hand_back, &death, &lot->arena, &after, err);
    if (answer < 0 ||
        (answer == 0 && reconcile_publish(runtime->publisher, after, clock_now_ms(), err)))
        return -1;
    drop(intake, delivery);
    return 0;
}

static void wait_alone(struct intake *intake, const struct intake_item *item, int64_t nudges)
{
    if (nudges >= SOLITARY_NUDGES)
        intake->solitary_until_mono = INT64_MAX;
    else if (intake->solitaries == 0)
        intake->solitary_until_mono = clock_mono_ms() + SOLITARY_MS;
    intake->solitary[intake->solitaries++] = *item;
}

/* Claimed for this process, which does not know of it. */
static bool is_forgotten(struct intake *intake, const struct job *job, size_t index)
{
    struct runtime *runtime = intake->runtime;
    const struct task *task = job->id && index < job->tasks.len ? &job->tasks.at[index] : NULL;
    return task && task->state == TASK_RUNNING && task->worker &&
           strcmp(task->worker, runtime->id) == 0 &&
           !held_has(&runtime->held, job->id, index, task->run);
}

/* A ticket whose task was not there to be claimed: `job` is as read. */
static int judge(struct intake *intake, struct lot *lot, struct job *job,
                 const struct intake_item *item, struct err *err)
{
    struct runtime *runtime = intake->runtime;
    size_t index = item->task;
    const struct delivery *delivery = &item->delivery;
    const struct task *task = job->id && index < job->tasks.len ? &job->tasks.at[index] : NULL;
    if (task && job_finishing(job)) {
        begin(intake, lot, job, index, delivery, true);
        return 0;
    }
    if (task && &kinds[task->kind] != runtime->kind) {
        log_event(LOG_WARN, "misrouted-ticket", "job", job->id, "task", task->name, NULL);
        drop(intake, delivery);
        return 0;
    }
    if (task && task->crashes >= JOB_CRASHES_ALONE &&
        job_due(job, index, clock_now_ms() + JOB_SKEW_MS) && intake->solitaries < INTAKE_SOLITARY) {
        wait_alone(intake, item, job->nudges);
        return 0;
    }
    if (is_forgotten(intake, job, index))
        return release(intake, lot, job, index, delivery, err);
    const char *workspace = runtime->config->fleet.workspace;
    if (task && task->state == TASK_RUNNING && task->worker &&
        strcmp(task->worker, runtime->id) != 0 &&
        workspace_dead(workspace, task->worker, runtime->host))
        return (workspace_left(workspace, task->worker) ? release : succeed_dead)(
            intake, lot, job, index, delivery, err);
    drop(intake, delivery);
    return 0;
}

/* What the store could not be told comes again; else the job's alarm brings it back. */
static void leave(struct intake *intake, const struct intake_item *item, const struct err *why)
{
    bool again = why->code == ERR_STORE_UNAVAILABLE;
    log_event(LOG_WARN, again ? "ticket-returned" : "ticket-dropped", "job", item->job, "detail",
              why->detail, NULL);
    if (again)
        give_back(intake, &item->delivery);
    else
        drop(intake, &item->delivery);
}

static void remove_pending(struct intake *intake, size_t len)
{
    intake->len -= len;
    intake->unsure -= len < intake->unsure ? len : intake->unsure;
    memmove(intake->pending, intake->pending + len, intake->len * sizeof intake->pending[0]);
}

static int claim(struct intake *intake, const struct intake_item *items, size_t len, bool alone,
                 struct lot *lot, struct err *err)
{
    struct runtime *runtime = intake->runtime;
    struct store_claim claims[INTAKE_BATCH];
    for (size_t i = 0; i < len; i++)
        claims[i] = (struct store_claim){.job = items[i].job,
                                         .task = items[i].task,
                                         .kind = (enum kind)(runtime->kind - kinds),
                                         .alone = alone};
    if (store_claim(runtime->store, claims, len, runtime->id, clock_now_ms(), runtime->lease_ms,
                    &lot->arena, err))
        return -1;
    struct job *jobs = arena_alloc_array(&lot->arena, len, sizeof *jobs);
    for (size_t i = 0; i < len; i++) {
        jobs[i] = claims[i].found;
        if (claims[i].claimed)
            begin(intake, lot, &jobs[i], items[i].task, &items[i].delivery, false);
    }
    /* Only then: whether this process is empty matters to a dead one's task. */
    for (size_t i = 0; i < len; i++) {
        struct err why = {0};
        if (!claims[i].claimed && judge(intake, lot, &jobs[i], &items[i], &why))
            leave(intake, &items[i], &why);
    }
    return 0;
}

/* Runs of hours must not keep new ones from this process: the alarms of those that wait bring them
 * back, later and later. */
static void stop_waiting(struct intake *intake)
{
    bool others_wait = held_len(&intake->runtime->held) > 0 || intake->len > 0;
    if (!others_wait || clock_mono_ms() < intake->solitary_until_mono)
        return;
    for (size_t i = 0; i < intake->solitaries; i++)
        drop(intake, &intake->solitary[i].delivery);
    intake->solitaries = 0;
}

static int claim_solitary(struct intake *intake, struct lot *lot, struct err *err)
{
    struct intake_item first = intake->solitary[0];
    if (claim(intake, &first, 1, true, lot, err))
        return -1;
    intake->solitaries--;
    memmove(intake->solitary, intake->solitary + 1, intake->solitaries * sizeof first);
    return 0;
}

static int claim_pending(struct intake *intake, size_t room, struct lot *lot, struct err *err)
{
    bool nothing = held_len(&intake->runtime->held) == 0;
    size_t take = intake->len < room ? intake->len : room;
    if (take > INTAKE_BATCH)
        take = INTAKE_BATCH;
    if (claim(intake, intake->pending, take, nothing && take == 1, lot, err)) {
        intake->unsure = take > intake->unsure ? take : intake->unsure;
        return -1;
    }
    remove_pending(intake, take);
    return 0;
}

int intake_claim(struct intake *intake, struct err *err)
{
    stop_waiting(intake);
    size_t room = intake_room(intake);
    if (room == 0 || intake->len + intake->solitaries == 0)
        return 0;
    struct lot *lot = lot_new();
    int failed = intake->solitaries ? claim_solitary(intake, lot, err)
                                    : claim_pending(intake, room, lot, err);
    lot_drop(lot);
    return failed;
}

/* ask: this ticket's claim may have been made. */
static void hand_back_item(struct intake *intake, const struct intake_item *item, bool ask)
{
    struct lot *lot = lot_new();
    struct job job = {0};
    struct err err = {0};
    if (!ask || store_job(intake->runtime->store, item->job, &lot->arena, &job, &err) ||
        !is_forgotten(intake, &job, item->task) ||
        release(intake, lot, &job, item->task, &item->delivery, &err))
        give_back(intake, &item->delivery);
    lot_drop(lot);
}

void intake_hand_back(struct intake *intake)
{
    int64_t until = clock_mono_ms() + ASK_MS;
    for (size_t i = 0; i < intake->len; i++)
        hand_back_item(intake, &intake->pending[i], i < intake->unsure && clock_mono_ms() < until);
    for (size_t i = 0; i < intake->solitaries; i++)
        hand_back_item(intake, &intake->solitary[i], i == 0 && clock_mono_ms() < until);
    intake->len = intake->unsure = intake->solitaries = 0;
}
