/* Tickets for a worker in memory, and what they find: jobs of others, of the dead, of none. For
 * programs of one file. */
#ifndef TESTS_INTAKE_FIXTURE_H
#define TESTS_INTAKE_FIXTURE_H

#include "check.h"
#include "fake_broker.h"
#include "fake_publisher.h"
#include "fake_store.h"

#include <unistd.h>

#include "worker/held.h"
#include "worker/intake.h"
#include "worker/workspace.h"

#define ME "here.hello.1.1"
#define SIBLING "here.hello.2.1"

static char workspace[] = "/tmp/intake-test-XXXXXX";
static struct worker_config config;
static struct runtime runtime;
static struct intake *intake;
static uint64_t tag;
static int number;

static inline void begin(int64_t slots)
{
    runtime = (struct runtime){.kind = &kinds[KIND_HELLO],
                               .config = &config,
                               .host = "here",
                               .id = ME,
                               .slots = slots,
                               .lease_ms = JOB_LEASE_MS};
    held_init(&runtime.held);
    intake = calloc(1, sizeof *intake);
    CHECK(intake);
    intake->runtime = &runtime;
    fake_broker.acked = fake_broker.rejected = fake_broker.requeued = 0;
    fake_broker.epoch = 1;
    fake_publisher.len = fake_publisher.letters_len = 0;
}

static inline void deliver(const char *body)
{
    struct delivery delivery = {.tag = ++tag + FAKE_TICKETS, .epoch = fake_broker.epoch};
    delivery.len = strlen(body);
    memcpy(delivery.body, body, delivery.len < sizeof delivery.body ? delivery.len : 512);
    intake_add(intake, &delivery);
}

static inline void ticket(const struct job *job, int task)
{
    char body[128];
    snprintf(body, sizeof body, "{\"v\":1,\"job\":\"%s\",\"task\":%d}", job->id, task);
    deliver(body);
}

static inline int claim(void)
{
    struct err err = {0};
    return intake_claim(intake, &err);
}

static inline void end_run(void)
{
    struct run *run;
    CHECK(held_next(&runtime.held, &run));
    held_done(&runtime, run);
    CHECK(held_take_done(&runtime.held) == run);
    run_free(run);
}

static inline void end(void)
{
    while (held_len(&runtime.held))
        end_run();
    held_release(&runtime.held);
    free(intake);
}

static inline struct task *task_of(const struct job *job)
{
    return &fake_job(job->id)->tasks.at[0];
}

/* A job whose task that worker runs. */
static inline struct job *running_by(const char *worker)
{
    struct job *job = fake_start(++number, "hello");
    CHECK(job_claim(job, 0, worker, clock_now_ms(), JOB_LEASE_MS));
    job->rev++;
    return job;
}

static inline struct job *crashed_twice(void)
{
    struct job *job = fake_start(++number, "hello");
    job->tasks.at[0].crashes = JOB_CRASHES_ALONE;
    return job;
}

/* Leaves the lock file of a worker that died. */
static inline void die(const char *worker)
{
    struct err err = {0};
    int fd;
    CHECK_INT(workspace_lock(workspace, worker, &fd, &err), 0);
    close(fd);
}

#endif
