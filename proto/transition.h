/* Every way a job can change, as pure functions: see proto/job.h for the rules they share. */
#ifndef PROTO_TRANSITION_H
#define PROTO_TRANSITION_H

#include "proto/job.h"

/* How a run ended. error.code ERR_NONE: it succeeded with `result`. A code of CLASS_RELEASED, or `release`, hands the
 * task back. */
struct outcome {
    struct task_error error;
    bool release; /* nobody's fault, whatever the code's class: its worker will wait until that has passed */
    struct raw result;
    const char *message;
    struct usage usage;
    int64_t retry_after_ms; /* what the other side asked for, 0 if nothing */
    int64_t jitter_pm;      /* -200 … 200: thousandths added to the backoff */
};

/* A new job: tasks that need nothing become queued, at run_at if that is set. */
void job_start(struct job *job, int64_t now);

/* What store_claim does inside the database, for those who hold the job in memory. */
bool job_claim(struct job *job, size_t i, const char *worker, int64_t now, int64_t lease_ms);

/* Ends run `run` of task i, if that is the run that holds it: result, retry, failure or hand-back. */
bool job_settle(struct job *job, size_t i, int64_t run, const struct outcome *outcome, int64_t now);

/* What run `run` of task i has done so far becomes the task's result, if that run holds it. It stays until the next
 * one: through a crash, a hand-back and a retry, and as the result of a task that fails or is cancelled in the end. */
bool job_checkpoint(struct job *job, size_t i, int64_t run, struct raw result);

/* The holder of task i is proven dead: counts the crash, and claims the task anew for `worker` unless that was one
 * crash too many (then the task has failed with worker-crash; look at its state). */
bool job_take_over(struct job *job, size_t i, const char *worker, int64_t now, int64_t lease_ms);

/* What time alone brings: leases that ended (a crash each), optional tasks no longer waited for, the deadline. */
bool job_expire(struct job *job, int64_t now);

/* Cancel, project deletion and the like: nothing more starts, running tasks are told by their next pulse. */
bool job_stop(struct job *job, enum error code, const char *by, int64_t now);

/* Every task has ended and the finish duties are done: the terminal swap. */
bool job_finish(struct job *job, int64_t now);

/* The result of task i, which succeeded, cannot be read by those who need it now: the task has failed with that error,
 * and with it the job unless the task is optional. */
bool job_spoil(struct job *job, size_t i, struct task_error error, int64_t now);

/* The reconciler's first step on a due alarm: moves it, so that somebody else looks only if nothing happens. */
void job_nudge(struct job *job, int64_t now);

/* Questions. */
bool job_terminal(const struct job *job);
bool job_finishing(const struct job *job);                    /* every task ended, duties left */
bool job_due(const struct job *job, size_t i, int64_t now);   /* task i wants a ticket now */
enum job_state job_outcome(const struct job *job);            /* the terminal state it is heading for */
const struct task *job_culprit(const struct job *job);        /* the failed required task, or NULL */
struct task_error job_error(const struct job *job);           /* what to tell: the culprit's, or the stop's */
int64_t job_percent(const struct job *job);                   /* exactly 100 when terminal, else at most 99 */
int64_t job_alarm(const struct job *job, int64_t now);        /* the earliest duty's time, 0 when terminal */
/* "queued", "retrying", names of the running tasks joined by '+', "finishing", "done"; written into out. */
const char *job_phase(const struct job *job, char *out, size_t size);
bool task_ended(const struct task *task);
struct task *job_task(const struct job *job, const char *name); /* or NULL */

#endif
