/* Group commit of swaps: whose turn it is goes to the store, for all who came meanwhile. */
#include "worker/batch.h"

#include <stdlib.h>

#include "common/change.h"
#include "common/clock.h"

enum {
    STORE_RETRY_MS = 500,
    REFUSALS_MAX = 3 /* then it is the outcome that the store does not take */
};

struct batch {
    struct store *store;
    struct held *held;
};

struct batch *batch_new(struct store *store, struct held *held)
{
    struct batch *batch = calloc(1, sizeof *batch);
    if (!batch)
        abort();
    *batch = (struct batch){store, held};
    return batch;
}

void batch_free(struct batch *batch)
{
    free(batch);
}

static void save(struct batch *batch, struct change **changes, size_t len)
{
    struct store_swap swaps[CHANGES_MAX];
    struct err err = {0};
    for (size_t i = 0; i < len; i++)
        swaps[i] = (struct store_swap){.before = changes[i]->before, .after = changes[i]->after};
    /* Who was not saved looks for himself, and sees the error if it lasts. */
    (void)store_swap(batch->store, swaps, len, &err);
    for (size_t i = 0; i < len; i++) {
        changes[i]->saved = swaps[i].saved;
        if (swaps[i].saved)
            changes[i]->after->rev = changes[i]->before->rev + 1;
    }
}

struct back {
    struct run *runs, **end, **quick;
};

/* What is saved and has no finish duties takes no time: one slot gets all of that. */
static void add_back(struct back *back, struct run *run)
{
    bool is_quick = run->end.saved && !job_finishing(run->end.after);
    run->stage = run->end.saved ? RUN_SAVED : RUN_UNSAVED;
    run->next = run->with = NULL;
    if (is_quick && back->quick) {
        *back->quick = run;
    } else {
        *back->end = run;
        back->end = &run->next;
    }
    if (is_quick)
        back->quick = &run->with;
}

void batch_save(struct batch *batch)
{
    struct change *changes[CHANGES_MAX];
    size_t len = held_take_changes(batch->held, changes), others = 0;
    struct back back = {.end = &back.runs};
    save(batch, changes, len);
    for (size_t i = 0; i < len; i++) {
        if (changes[i]->run)
            add_back(&back, changes[i]->run);
        else
            changes[others++] = changes[i];
    }
    held_return(batch->held, back.runs, changes, others);
}

bool batch_swap(struct batch *batch, const struct job *before, struct job *after)
{
    pthread_cond_t turn = PTHREAD_COND_INITIALIZER;
    struct change mine = {.before = before, .after = after, .turn = &turn};
    held_offer(batch->held, &mine);
    while (held_await(batch->held, &mine))
        batch_save(batch);
    pthread_cond_destroy(&turn);
    return mine.saved;
}

static bool settle(struct job *draft, void *arg)
{
    const struct run *run = arg;
    return job_settle(draft, run->task, run->number, &run->outcome, clock_now_ms());
}

/* A save whose answer was lost may have been made: nobody else ends a run with success. */
static bool has_succeeded(const struct job *job, const struct run *run)
{
    const struct task *task = &job->tasks.at[run->task];
    return task->state == TASK_SUCCEEDED && task->run == run->number;
}

/* Somebody changed the job since the claim: read, apply, save, again. */
static int settle_changed(struct batch *batch, struct run *run, struct job **after, struct err *err)
{
    arena_reset(&run->changed);
    int answer =
        change_job(batch->store, run->job->id, NULL, settle, run, &run->changed, after, err);
    return answer == 1 && has_succeeded(*after, run) ? 0 : answer;
}

/* What the store would never take (a document too large): the run ends with that as its error. */
static void refuse(struct run *run, const struct err *why)
{
    const char *detail = arena_strdup(&run->arena, why->detail);
    run->outcome.error = (struct task_error){ERR_INTERNAL, detail};
    run->outcome.result = (struct raw){0};
    run->outcome.message = NULL;
}

void batch_offer(struct batch *batch, struct run *run)
{
    const struct job *known = run->saved ? run->saved : run->job;
    run->end =
        (struct change){.before = known, .after = change_draft(known, &run->arena), .run = run};
    settle(run->end.after, run);
    held_offer(batch->held, &run->end);
}

enum settled batch_settle(struct batch *batch, struct run *run, int64_t give_up_mono,
                          struct job **after, struct err *err)
{
    int refusals = 0;
    for (;;) {
        int answer = settle_changed(batch, run, after, err);
        if (answer >= 0)
            return answer == 0 ? SETTLED : SETTLE_LOST;
        if (err->code == ERR_JOB_NOT_FOUND)
            return SETTLE_LOST;
        if (clock_mono_ms() >= give_up_mono)
            return SETTLE_FAILED;
        if (err->code == ERR_INTERNAL && ++refusals == REFUSALS_MAX)
            refuse(run, err);
        clock_sleep_ms(STORE_RETRY_MS);
    }
}
