/* Tickets of tasks whose worker is gone: died, left, or killed by what it ran. */
#include "intake_fixture.h"

static void an_empty_process_goes_on_for_the_dead(void)
{
    begin(4);
    die(SIBLING);
    struct job *job = running_by(SIBLING);
    ticket(job, 0);
    CHECK_INT(claim(), 0);
    CHECK_INT(held_len(&runtime.held), 1);
    CHECK_STR(task_of(job)->worker, ME);
    CHECK_INT(task_of(job)->run, 2);
    CHECK_INT(task_of(job)->crashes, 1);
    CHECK_INT(intake_room(intake),
              7); /* whoever shared the dead one's process goes on beside others */
    end();
}

static void after_a_second_death_it_is_alone(void)
{
    begin(4);
    die(SIBLING);
    struct job *job = running_by(SIBLING), *other = running_by(SIBLING);
    job->tasks.at[0].crashes = JOB_CRASHES_ALONE - 1;
    ticket(job, 0);
    ticket(other, 0);
    CHECK_INT(claim(), 0);
    CHECK_INT(held_len(&runtime.held), 1);
    CHECK_STR(task_of(job)->worker, ME);
    CHECK_INT(task_of(other)->state, TASK_QUEUED);
    CHECK_INT(intake_room(intake), 0); /* next time only the culprit dies */
    end_run();
    CHECK_INT(intake_room(intake), 8);
    end();
}

/* A process that had to leave before it could settle is no death. */
static void who_left_has_not_crashed(void)
{
    begin(4);
    struct err err = {0};
    int fd;
    CHECK_INT(workspace_lock(workspace, "here.hello.3.1", &fd, &err), 0);
    workspace_leave(fd);
    struct job *job = running_by("here.hello.3.1");
    ticket(job, 0);
    CHECK_INT(claim(), 0);
    CHECK_INT(task_of(job)->state, TASK_RUNNING); /* it has not left yet */
    close(fd);
    ticket(job, 0);
    CHECK_INT(claim(), 0);
    CHECK_INT(held_len(&runtime.held), 0);
    CHECK_INT(task_of(job)->state, TASK_QUEUED);
    CHECK_INT(task_of(job)->crashes, 0);
    CHECK_INT(task_of(job)->failures, 0);
    CHECK_INT(fake_publisher.len, 1);
    end();
}

static void a_third_death_fails_the_task(void)
{
    begin(4);
    struct job *job = running_by(SIBLING);
    job->tasks.at[0].crashes = JOB_CRASHES_MAX - 1;
    ticket(job, 0);
    CHECK_INT(claim(), 0);
    CHECK_INT(held_len(&runtime.held), 0);
    CHECK_INT(fake_job(job->id)->state, JOB_FAILED);
    CHECK_INT(task_of(job)->error.code, ERR_WORKER_CRASH);
    CHECK_INT(fake_broker.acked, 1);
    end();
}

/* Whatever the order of the tickets: what has crashed a process does not run beside others. */
static void the_dead_ones_task_runs_beside_nobody(void)
{
    for (int first = 0; first < 2; first++) {
        begin(4);
        struct job *dead = running_by(SIBLING), *fresh = fake_start(++number, "hello");
        dead->tasks.at[0].crashes = JOB_CRASHES_ALONE - 1;
        ticket(first ? dead : fresh, 0);
        ticket(first ? fresh : dead, 0);
        CHECK_INT(claim(), 0);
        CHECK_INT(held_len(&runtime.held), 1);
        CHECK_INT(task_of(fresh)->state, TASK_RUNNING);
        CHECK_INT(task_of(dead)->state, TASK_QUEUED);
        CHECK_INT(task_of(dead)->crashes, JOB_CRASHES_ALONE);
        CHECK_INT(fake_publisher.len, 1); /* for a process that is empty */
        end();
    }
}

static void what_crashed_twice_waits_until_it_is_alone(void)
{
    begin(4);
    struct job *fresh = fake_start(++number, "hello"), *culprit = crashed_twice();
    struct job *next = fake_start(++number, "hello"), *other = crashed_twice();
    ticket(fresh, 0);
    ticket(culprit, 0);
    ticket(other, 0);
    CHECK_INT(claim(), 0);
    CHECK_INT(held_len(&runtime.held), 1);
    CHECK_INT(intake->solitaries, 2);
    ticket(next, 0);
    CHECK_INT(claim(), 0);
    CHECK_INT(held_len(&runtime.held), 1); /* nothing new while it waits */
    end_run();
    CHECK_INT(claim(), 0);
    CHECK_INT(held_len(&runtime.held), 1);
    CHECK_INT(task_of(culprit)->state, TASK_RUNNING);
    CHECK_INT(claim(), 0);
    CHECK_INT(task_of(other)->state, TASK_QUEUED); /* nor while it runs */
    end_run();
    CHECK_INT(claim(), 0);
    CHECK_INT(task_of(other)->state, TASK_RUNNING);
    CHECK_INT(task_of(next)->state, TASK_QUEUED);
    end_run();
    CHECK_INT(claim(), 0);
    CHECK_INT(task_of(next)->state, TASK_RUNNING);
    CHECK_INT(fake_broker.acked, 0);
    end();
}

/* Neighbours that run for hours keep others waiting for a minute, not until they end. */
static void nobody_waits_for_long(void)
{
    begin(4);
    struct job *fresh = fake_start(++number, "hello"), *culprit = crashed_twice();
    struct job *next = fake_start(++number, "hello");
    ticket(fresh, 0);
    ticket(culprit, 0);
    CHECK_INT(claim(), 0);
    ticket(next, 0);
    intake->solitary_until_mono = 0;
    CHECK_INT(claim(), 0);
    CHECK_INT(intake->solitaries, 0);
    CHECK_INT(fake_broker.acked, 1); /* its alarm brings it back */
    CHECK_INT(task_of(culprit)->state, TASK_QUEUED);
    CHECK_INT(task_of(next)->state, TASK_RUNNING);
    fake_job(culprit->id)->nudges = 100; /* nobody had room for it all day */
    ticket(culprit, 0);
    CHECK_INT(claim(), 0);
    CHECK(intake->solitary_until_mono == INT64_MAX);
    end();
}

int main(void)
{
    CHECK(mkdtemp(workspace));
    config.fleet.workspace = workspace;
    RUN(an_empty_process_goes_on_for_the_dead);
    RUN(after_a_second_death_it_is_alone);
    RUN(who_left_has_not_crashed);
    RUN(a_third_death_fails_the_task);
    RUN(the_dead_ones_task_runs_beside_nobody);
    RUN(what_crashed_twice_waits_until_it_is_alone);
    RUN(nobody_waits_for_long);
    struct err err = {0};
    CHECK_INT(workspace_remove(workspace, &err), 0);
    arena_release(&fake_store.memory);
    return 0;
}
