/* Read, apply, save, again: what a change sees and what it leaves. */
#include "check.h"
#include "fake_store.h"

#include "common/change.h"

static struct arena memory;
static int applied;

static bool stop(struct job *draft, void *arg)
{
    applied++;
    return job_stop(draft, ERR_CANCELLED, arg, clock_now_ms());
}

/* Somebody else is faster the first times. */
static bool stop_late(struct job *draft, void *arg)
{
    int *others = arg;
    if (*others > 0 && (*others)--)
        fake_job(draft->id)->rev++;
    return stop(draft, "somebody");
}

static int change(const struct job *job, const struct job *known, change_apply *apply, void *arg,
                  struct job **out, struct err *err)
{
    char *by = "somebody";
    applied = 0;
    *err = (struct err){0};
    return change_job(NULL, job->id, known, apply, arg ? arg : by, &memory, out, err);
}

static void saves_what_was_applied(void)
{
    struct err err;
    struct job *job = fake_start(1, "media.store"), *out = NULL;
    CHECK_INT(change(job, NULL, stop, NULL, &out, &err), 0);
    CHECK_INT(out->rev, 1);
    CHECK_INT(out->stop.code, ERR_CANCELLED);
    CHECK_INT(fake_job(job->id)->rev, 1);
    CHECK_INT(fake_job(job->id)->stop.code, ERR_CANCELLED);
    CHECK_INT(change(job, NULL, stop, NULL, &out, &err), 1); /* it does not apply twice */
    CHECK_INT(out->rev, 1);
}

static void leaves_what_the_caller_knows_as_it_was(void)
{
    struct err err;
    struct job *job = fake_start(2, "media.store"), *out = NULL;
    struct job *known = fake_copy(job, &memory);
    CHECK_INT(change(job, known, stop, NULL, &out, &err), 0);
    CHECK_INT(applied, 1);
    CHECK_INT(known->rev, 0);
    CHECK_INT(known->stop.code, ERR_NONE);
    CHECK_INT(known->tasks.at[0].state, TASK_QUEUED);
    CHECK_INT(out->tasks.at[0].state, TASK_CANCELLED);
}

static void a_conflict_reads_and_applies_again(void)
{
    struct err err;
    int others = 3;
    struct job *job = fake_start(3, "hello"), *out = NULL, *known = fake_copy(job, &memory);
    CHECK_INT(change(job, known, stop_late, &others, &out, &err), 0);
    CHECK_INT(applied, 4);
    CHECK_INT(out->rev, 4);
}

static void too_many_conflicts_end(void)
{
    struct err err;
    int others = 1000;
    struct job *job = fake_start(4, "hello"), *out = NULL;
    CHECK_INT(change(job, NULL, stop_late, &others, &out, &err), -1);
    CHECK_INT(err.code, ERR_OVERLOADED);
    CHECK_INT(applied, 32);
}

static void says_what_it_could_not(void)
{
    struct err err;
    struct job *job = fake_start(5, "hello"), *out = NULL, nobody = {.id = "nobody"};
    CHECK_INT(change(&nobody, NULL, stop, NULL, &out, &err), -1);
    CHECK_INT(err.code, ERR_JOB_NOT_FOUND);
    fake_store.away = 1;
    CHECK_INT(change(job, NULL, stop, NULL, &out, &err), -1);
    CHECK_INT(err.code, ERR_STORE_UNAVAILABLE);
    fake_store.lost = 1; /* made, but the answer is lost: the next try finds it made */
    CHECK_INT(change(job, NULL, stop, NULL, &out, &err), -1);
    CHECK_INT(change(job, NULL, stop, NULL, &out, &err), 1);
    CHECK_INT(out->stop.code, ERR_CANCELLED);
}

int main(void)
{
    RUN(saves_what_was_applied);
    RUN(leaves_what_the_caller_knows_as_it_was);
    RUN(a_conflict_reads_and_applies_again);
    RUN(too_many_conflicts_end);
    RUN(says_what_it_could_not);
    arena_release(&memory);
    arena_release(&fake_store.memory);
    return 0;
}
