/* Tickets: which become runs, and what becomes of the others. */
#include "intake_fixture.h"

#include "worker/dead.h"

static void what_cannot_be_read_goes_to_the_dead(void)
{
    static const char *const garbage[] = {
        "",
        "{",
        "[]",
        "{\"v\":1}",
        "{\"v\":2,\"job\":\"01J00000000000000000000001\",\"task\":0}",
        "{\"v\":1,\"job\":\"01J0000000000000000000000\",\"task\":0}",
        "{\"v\":1,\"job\":\"01J00000000000000000000001\",\"task\":-1}",
        "{\"v\":1,\"job\":\"01J00000000000000000000001\",\"task\":128}",
        "{\"v\":1,\"job\":\"../../../../../../etc/pass\",\"task\":0}"};
    const int len = (int)(sizeof garbage / sizeof garbage[0]);
    begin(4);
    for (int i = 0; i < len; i++)
        deliver(garbage[i]);
    struct delivery large = {.len = 1 << 20, .epoch = 1};
    memset(large.body, ' ', sizeof large.body);
    intake_add(intake, &large);
    CHECK_INT(intake->len, 0);
    CHECK_INT(atomic_load(&runtime.counters.garbage), len + 1);
    CHECK_INT(fake_publisher.letters_len, len + 1);
    for (int i = 0; i < len; i++) {
        const struct dead_letter *letter = fake_publisher.letters[i];
        CHECK_INT(letter->len, strlen(garbage[i]));
        CHECK(memcmp(letter->body, garbage[i], letter->len) == 0);
    }
    CHECK_STR(fake_publisher.letters[4]->reason, "out-of-range at /v: must be at most 1");
    CHECK_INT(fake_publisher.letters[len]->bytes, 1 << 20);
    CHECK_INT(fake_publisher.letters[len]->len, sizeof large.body);
    dead_acknowledge(&runtime);
    CHECK_INT(fake_broker.acked + fake_broker.rejected, 0); /* not before the broker has them */
    for (int i = 0; i <= len; i++)
        fake_publisher.letters[i]->done(fake_publisher.letters[i]->arg, i > 0);
    dead_acknowledge(&runtime);
    CHECK_INT(fake_broker.acked, len);
    CHECK_INT(fake_broker.rejected, 1); /* the broker moves it, then */
    end();
}

static void a_publisher_that_takes_nothing_leaves_it_to_the_broker(void)
{
    begin(4);
    fake_publisher.letters_len = sizeof fake_publisher.letters / sizeof fake_publisher.letters[0];
    deliver("{");
    CHECK_INT(fake_broker.rejected, 1);
    end();
}

/* Claimed by its job's id and the task's number alone, it would run under the wrong handler. */
static void tickets_of_other_kinds_are_dropped(void)
{
    begin(4);
    struct job *job = fake_start(++number, "hello");
    job->tasks.at[0].kind = KIND_DOWNLOAD;
    struct job *crashed = crashed_twice();
    crashed->tasks.at[0].kind = KIND_DOWNLOAD;
    ticket(job, 0);
    ticket(crashed, 0);
    CHECK_INT(claim(), 0);
    CHECK_INT(claim(), 0);
    CHECK_INT(held_len(&runtime.held), 0);
    CHECK_INT(fake_broker.acked, 2);
    CHECK_INT(task_of(job)->state, TASK_QUEUED);
    end();
}

static void old_tickets_are_dropped(void)
{
    begin(4);
    struct job *ended = running_by(SIBLING);
    CHECK(job_settle(ended, 0, 1, &(struct outcome){0}, clock_now_ms()));
    struct job unknown = {.id = "01JZZZZZZZZZZZZZZZZZZZZZZZ"};
    struct job *elsewhere = running_by("there.hello.1.1"), *sibling = running_by(SIBLING);
    struct job *beyond = fake_start(++number, "hello");
    ticket(ended, 0);
    ticket(&unknown, 0);
    ticket(elsewhere, 0);
    ticket(sibling, 0); /* no lock file: that proves nothing */
    ticket(beyond, 1);
    while (intake->len)
        CHECK_INT(claim(), 0);
    CHECK_INT(held_len(&runtime.held), 0);
    CHECK_INT(fake_broker.acked, 5);
    CHECK_INT(atomic_load(&runtime.counters.dropped), 5);
    end();
}

static void a_repeated_ticket_of_its_own_run_is_dropped(void)
{
    begin(4);
    struct job *job = fake_start(++number, "hello");
    ticket(job, 0);
    ticket(job, 0);
    CHECK_INT(claim(), 0);
    ticket(job, 0);
    CHECK_INT(claim(), 0);
    CHECK_INT(held_len(&runtime.held), 1);
    CHECK_INT(fake_broker.acked, 2);
    CHECK_INT(task_of(job)->run, 1);
    CHECK_INT(task_of(job)->state, TASK_RUNNING);
    end();
}

static void a_finishing_job_is_finished_by_whoever_gets_its_ticket(void)
{
    begin(4);
    struct job *job = running_by(SIBLING);
    job->simple = false;
    CHECK(job_settle(job, 0, 1, &(struct outcome){0}, clock_now_ms()));
    CHECK(job_finishing(job));
    ticket(job, 0);
    CHECK_INT(claim(), 0);
    struct run *run;
    CHECK(held_next(&runtime.held, &run));
    CHECK(run->finish_only);
    held_done(&runtime, run);
    run_free(held_take_done(&runtime.held));
    end();
}

static void without_the_store_nothing_is_lost(void)
{
    begin(4);
    struct job *job = fake_start(++number, "hello"), *culprit = crashed_twice();
    fake_store.away = 1;
    ticket(job, 0);
    CHECK_INT(claim(), -1);
    CHECK_INT(intake->len, 1);
    CHECK_INT(claim(), 0);
    end_run();
    ticket(fake_start(++number, "hello"), 0);
    ticket(culprit, 0);
    CHECK_INT(claim(), 0);
    end_run();
    fake_store.away = 1;
    CHECK_INT(claim(), -1);
    CHECK_INT(intake->solitaries, 1);
    CHECK_INT(claim(), 0);
    CHECK_INT(task_of(culprit)->state, TASK_RUNNING);
    CHECK_INT(fake_broker.acked, 0);
    end();
}

/* The claim was made, but its answer never came: that is no crash. */
static void a_claim_whose_answer_was_lost_is_handed_back(void)
{
    begin(4);
    struct job *job = fake_start(++number, "hello");
    fake_store.lost = 1;
    ticket(job, 0);
    CHECK_INT(claim(), -1);
    CHECK_STR(task_of(job)->worker, ME);
    CHECK_INT(claim(), 0);
    CHECK_INT(task_of(job)->state, TASK_QUEUED);
    CHECK_INT(task_of(job)->crashes, 0);
    CHECK_INT(fake_publisher.len, 1);
    CHECK_INT(fake_broker.acked, 1);
    end();
}

/* The store goes away again before that could be said: the ticket comes again, or only the lease's
 * end would free the task, as a crash. */
static void what_cannot_be_handed_back_now_is_later(void)
{
    begin(4);
    struct job *job = fake_start(++number, "hello");
    fake_store.lost = fake_store.unswapped = 1;
    ticket(job, 0);
    CHECK_INT(claim(), -1);
    CHECK_INT(claim(), 0);
    CHECK_INT(task_of(job)->state, TASK_RUNNING);
    CHECK_INT(fake_broker.requeued, 1);
    CHECK_INT(fake_broker.acked, 0);
    ticket(job, 0);
    CHECK_INT(claim(), 0);
    CHECK_INT(task_of(job)->state, TASK_QUEUED);
    CHECK_INT(task_of(job)->crashes, 0);
    end();
}

/* Nor is it a crash when the process ends before it knows. */
static void an_unanswered_claim_is_handed_back_at_the_end(void)
{
    begin(4);
    struct job *claimed = fake_start(++number, "hello"), *sibling = running_by(SIBLING);
    fake_store.lost = 1;
    ticket(claimed, 0);
    ticket(sibling, 0);
    CHECK_INT(claim(), -1);
    intake_hand_back(intake);
    CHECK_INT(task_of(claimed)->state, TASK_QUEUED);
    CHECK_INT(task_of(claimed)->crashes, 0);
    CHECK_INT(task_of(sibling)->state, TASK_RUNNING);
    CHECK_INT(fake_publisher.len, 1);
    CHECK_INT(fake_broker.acked, 1);
    CHECK_INT(fake_broker.requeued, 1);
    end();
}

/* Each new connection brings again what waits already: it must not wait twice. */
static void broken_connections_fill_nothing(void)
{
    struct job *jobs[16];
    begin(1);
    ticket(fake_start(++number, "hello"), 0);
    ticket(fake_start(++number, "hello"), 0);
    CHECK_INT(claim(), 0);
    CHECK_INT(intake_room(intake), 0);
    for (int i = 0; i < 16; i++)
        jobs[i] = fake_start(++number, "hello");
    for (int connection = 0; connection < 40; connection++, fake_broker.epoch++)
        for (int i = 0; i < 16; i++)
            ticket(jobs[i], 0);
    CHECK_INT(intake->len, 16);
    end();
}

/* Two hosts' clocks differ by a little: the ticket comes before its time and is not sent again for
 * a while. */
static void a_ticket_may_be_a_little_early(void)
{
    begin(4);
    struct job *job = fake_start(++number, "hello"), *later = fake_start(++number, "hello");
    job->tasks.at[0].due_at = clock_now_ms() + 200;
    later->tasks.at[0].due_at = clock_now_ms() + 20000;
    ticket(job, 0);
    ticket(later, 0);
    CHECK_INT(claim(), 0);
    CHECK_INT(task_of(job)->state, TASK_RUNNING);
    CHECK_INT(task_of(later)->state, TASK_QUEUED);
    end();
}

int main(void)
{
    CHECK(mkdtemp(workspace));
    config.fleet.workspace = workspace;
    RUN(what_cannot_be_read_goes_to_the_dead);
    RUN(a_publisher_that_takes_nothing_leaves_it_to_the_broker);
    RUN(tickets_of_other_kinds_are_dropped);
    RUN(old_tickets_are_dropped);
    RUN(a_repeated_ticket_of_its_own_run_is_dropped);
    RUN(a_finishing_job_is_finished_by_whoever_gets_its_ticket);
    RUN(without_the_store_nothing_is_lost);
    RUN(a_claim_whose_answer_was_lost_is_handed_back);
    RUN(what_cannot_be_handed_back_now_is_later);
    RUN(an_unanswered_claim_is_handed_back_at_the_end);
    RUN(broken_connections_fill_nothing);
    RUN(a_ticket_may_be_a_little_early);
    struct err err = {0};
    CHECK_INT(workspace_remove(workspace, &err), 0);
    arena_release(&fake_store.memory);
    return 0;
}
