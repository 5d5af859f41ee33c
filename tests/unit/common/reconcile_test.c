/* Due jobs: what is published, expired and left alone, with one reconciler and with two. */
#include "check.h"
#include "fake_clock.h"
#include "fake_publisher.h"
#include "fake_store.h"

#include "common/reconcile.h"

enum { TRUSTED = 0 }; /* a lease time that has passed when the first pass begins */

static int number;

static void forget(void)
{
    fake_store.len = 0;
    fake_publisher.len = 0;
    fake_publisher.ready = 0;
    fake_publisher.depths = 0;
    fake_publisher.away = false;
}

/* Opens and closes one: it makes one pass at least, and without a full batch no more. */
static void pass(int64_t lease_ms)
{
    struct err err = {0};
    struct reconcile *reconcile = NULL;
    int dues = fake_store.dues;
    CHECK_INT(reconcile_open(&reconcile, NULL, NULL, lease_ms, &err), 0);
    for (int i = 0; i < 2000; i++) {
        pthread_mutex_lock(&fake_store.lock);
        bool looked = fake_store.dues > dues;
        pthread_mutex_unlock(&fake_store.lock);
        if (looked)
            break;
        clock_sleep_ms(1);
    }
    reconcile_free(reconcile);
}

static void wait_passes(int more)
{
    pthread_mutex_lock(&fake_store.lock);
    int until = fake_store.dues + more;
    pthread_mutex_unlock(&fake_store.lock);
    for (bool done = false; !done; clock_sleep_ms(5)) {
        pthread_mutex_lock(&fake_store.lock);
        done = fake_store.dues >= until;
        pthread_mutex_unlock(&fake_store.lock);
    }
}

static struct job *queued(int64_t due_ago_ms, int64_t alarm_ago_ms)
{
    struct job *job = fake_start(++number, "hello");
    int64_t now = clock_now_ms(); /* one: due before its alarm means that it has had its ticket */
    job->tasks.at[0].due_at = now - due_ago_ms;
    job->alarm_at = now - alarm_ago_ms;
    return job;
}

static struct job *running(int64_t lease_ago_ms)
{
    struct job *job = fake_start(++number, "hello");
    CHECK(job_claim(job, 0, "w", clock_now_ms(), JOB_LEASE_MS));
    job->tasks.at[0].lease_until = job->alarm_at = clock_now_ms() - lease_ago_ms;
    return job;
}

static void a_retry_is_published_when_it_is_due_and_once(void)
{
    forget();
    fake_publisher.ready = 5; /* a backlog is no reason to wait: it has no ticket yet */
    struct job *job = queued(1, 1), *later = queued(-60000, -60000);
    pass(TRUSTED);
    CHECK_INT(fake_publisher.len, 1);
    CHECK_STR(fake_publisher.sent[0].job, job->id);
    CHECK(fake_job(job->id)->alarm_at > clock_now_ms());
    pass(TRUSTED);
    CHECK_INT(fake_publisher.len, 1);
    CHECK_INT(fake_job(later->id)->rev, 0);
}

/* Nor when it is hours old. */
static void a_backlog_is_not_doubled(void)
{
    forget();
    fake_publisher.ready = 20;
    for (int i = 0; i < 20; i++)
        queued(20000 + 600000 * i, 1)->nudges = i;
    for (int i = 0; i < 10; i++) {
        pass(TRUSTED);
        for (size_t j = 0; j < fake_store.len; j++)
            fake_store.jobs[j]->alarm_at = clock_now_ms() - 1;
    }
    CHECK_INT(fake_publisher.len, 0);
    CHECK_INT(fake_publisher.depths, 10); /* asked once a round */
}

/* Nor while our own tickets are on their way, nor while another process repeats them. */
static void what_is_on_its_way_is_not_repeated(void)
{
    forget();
    fake_publisher.ready = 3;
    fake_publisher.unconfirmed = 5;
    for (int i = 0; i < 8; i++)
        queued(20000, 1);
    pass(TRUSTED);
    CHECK_INT(fake_publisher.len, 0);
    fake_publisher.unconfirmed = 0;
}

static int taken(const void *record)
{
    (void)record;
    return 1;
}

static void another_process_repeats_them(void)
{
    forget();
    queued(20000, 1);
    fake_seen_insert = taken;
    pass(TRUSTED);
    CHECK_INT(fake_publisher.len, 0);
    CHECK_INT(fake_publisher.depths, 0);
    fake_seen_insert = NULL;
}

static void a_lost_ticket_is_repeated_into_an_empty_queue(void)
{
    forget();
    queued(20000, 1);
    pass(TRUSTED);
    pass(TRUSTED);
    CHECK_INT(fake_publisher.len, 1);
}

/* A queue that is never empty: as many as there are too few. */
static void lost_tickets_are_repeated_into_a_busy_queue(void)
{
    forget();
    fake_publisher.ready = 5;
    for (int i = 0; i < 8; i++)
        queued(20000, 1);
    pass(TRUSTED);
    CHECK_INT(fake_publisher.len, 3);
}

/* The queue was purged: nobody waits for the alarms, which are minutes away. */
static void a_purged_backlog_is_sent_again(void)
{
    enum { JOBS = 1200 };
    forget();
    struct err err = {0};
    struct reconcile *reconcile = NULL;
    for (int i = 0; i < JOBS; i++)
        queued(600000, -300000)->nudges = 7;
    fake_publisher.ready = JOBS + 1;
    struct job *due = queued(600000, 1); /* whose alarm makes it look */
    CHECK_INT(reconcile_open(&reconcile, NULL, NULL, TRUSTED, &err), 0);
    wait_passes(2);
    CHECK_INT(fake_sent(), 0);
    pthread_mutex_lock(&fake_publisher.lock);
    fake_publisher.ready = 0;
    pthread_mutex_unlock(&fake_publisher.lock);
    wait_passes(6);
    reconcile_free(reconcile);
    CHECK_INT(fake_publisher.len, JOBS + 1);
    CHECK_INT(fake_job(due->id)->nudges, 2);
}

/* The broker was away: what was posted meanwhile was not even nudged. */
static void after_an_outage_nobody_waits_for_alarms(void)
{
    forget();
    struct err err = {0};
    struct reconcile *reconcile = NULL;
    fake_publisher.away = true;
    queued(6000, -4000);
    CHECK_INT(reconcile_open(&reconcile, NULL, NULL, TRUSTED, &err), 0);
    wait_passes(2);
    CHECK_INT(fake_sent(), 0);
    pthread_mutex_lock(&fake_publisher.lock);
    fake_publisher.away = false;
    pthread_mutex_unlock(&fake_publisher.lock);
    wait_passes(2);
    reconcile_free(reconcile);
    CHECK_INT(fake_publisher.len, 1);
}

/* The lease of its neighbour alarms every 30 s: that says nothing about how late its ticket is. */
static void a_long_neighbour_makes_nothing_late(void)
{
    forget();
    fake_publisher.ready = 5;
    struct job *job = fake_start(++number, "media.store");
    job_claim(job, 0, "w", clock_now_ms(), JOB_LEASE_MS);
    CHECK(job_settle(job, 0, 1, &(struct outcome){0}, clock_now_ms() - 20000));
    CHECK(
        job_claim(job, 1, "w", clock_now_ms(), 3 * JOB_LEASE_MS)); /* transcode; thumbnail waits */
    for (int i = 0; i < 10; i++) {
        fake_job(job->id)->alarm_at = clock_now_ms() - 1;
        pass(TRUSTED);
    }
    CHECK_INT(fake_publisher.len, 0);
}

static void an_ended_lease_is_a_crash(void)
{
    forget();
    struct job *job = running(1);
    pass(TRUSTED);
    CHECK_INT(fake_job(job->id)->tasks.at[0].crashes, 1);
    CHECK_INT(fake_job(job->id)->tasks.at[0].state, TASK_QUEUED);
    CHECK_INT(fake_publisher.len, 1);
}

static void at_the_start_no_lease_is_called_ended(void)
{
    forget();
    struct job *job = running(1), *due = queued(1, 1);
    pass(JOB_LEASE_MS);
    CHECK_INT(fake_job(job->id)->rev, 0);
    CHECK_INT(fake_publisher.len, 1); /* all else goes on */
    CHECK_STR(fake_publisher.sent[0].job, due->id);
}

static void after_an_outage_leases_get_their_time_again(void)
{
    forget();
    struct err err = {0};
    struct reconcile *reconcile = NULL;
    struct job *job = running(1);
    const char *id = job->id;
    pthread_mutex_lock(&fake_store.lock);
    int dues = fake_store.dues;
    CHECK_INT(reconcile_open(&reconcile, NULL, NULL, 30000, &err), 0);
    pthread_mutex_unlock(&fake_store.lock);
    while (true) {
        pthread_mutex_lock(&fake_store.lock);
        bool first = fake_store.dues > dues;
        if (first) {
            fake_skipped_ms += 31000; /* its grace at the start is over … */
            fake_store.away = 1;      /* … and the store goes */
        }
        pthread_mutex_unlock(&fake_store.lock);
        if (first)
            break;
        clock_sleep_ms(1);
    }
    wait_passes(2);
    pthread_mutex_lock(&fake_store.lock);
    CHECK_INT(fake_job(id)->tasks.at[0].crashes, 0);
    fake_skipped_ms += 31000;
    pthread_mutex_unlock(&fake_store.lock);
    wait_passes(1);
    reconcile_free(reconcile);
    CHECK_INT(fake_job(id)->tasks.at[0].crashes, 1);
}

enum heard { BY_IT, BY_ANOTHER }; /* who asks for the time first */

/* After its grace at the start a reconciler meets a job whose lease ended so long ago by its clock,
 * and a server whose clock has jumped; returns the crashes that it counted. */
static int64_t crashes_after_a_jump(int64_t lease_ago_ms, int64_t jump_ms, int64_t passed_ms,
                                    enum heard heard)
{
    forget();
    struct err err = {0};
    struct reconcile *reconcile = NULL;
    CHECK_INT(reconcile_open(&reconcile, NULL, NULL, JOB_LEASE_MS, &err), 0);
    wait_passes(1);
    pthread_mutex_lock(&fake_store.lock);
    struct job *job = running(lease_ago_ms);
    const char *id = job->id;
    job->alarm_at = clock_now_ms();
    if (heard == BY_IT)
        fake_store.clock_jump_ms = jump_ms;
    else
        clock_adjust(clock_now_ms() + jump_ms, clock_mono_ms());
    fake_skipped_ms += JOB_LEASE_MS + passed_ms;
    pthread_mutex_unlock(&fake_store.lock);
    wait_passes(2);
    reconcile_free(reconcile);
    return fake_job(id)->tasks.at[0].crashes;
}

static void a_clock_that_jumped_ends_no_lease(void)
{
    enum { HOURS_MS = 7200000, TIDY_MS = 60000 };
    CHECK_INT(crashes_after_a_jump(-HOURS_MS / 2, HOURS_MS, TIDY_MS, BY_IT),
              0);                                                  /* we heard of it first */
    CHECK_INT(crashes_after_a_jump(1000, -HOURS_MS, 0, BY_IT), 0); /* its worker did */
    CHECK_INT(crashes_after_a_jump(1000, 100, 0, BY_IT), 1);       /* a clock that is set */
    /* The gateway has answered a /readyz in between. */
    CHECK_INT(crashes_after_a_jump(1000, HOURS_MS, 0, BY_ANOTHER), 0);
}

static void what_cannot_be_judged_keeps_out_nobody(void)
{
    forget();
    for (int i = 0; i < 1200; i++)
        running(1000);
    struct job *due = queued(1, 1);
    pass(JOB_LEASE_MS);
    CHECK_INT(fake_publisher.len, 1);
    CHECK_STR(fake_publisher.sent[0].job, due->id);
    CHECK_INT(fake_job(due->id)->rev, 1);
}

static void two_have_one_effect(void)
{
    enum { JOBS_EACH = 150 };
    forget();
    struct err err = {0};
    struct reconcile *a = NULL, *b = NULL;
    int swaps = fake_store.swaps;
    for (int i = 0; i < JOBS_EACH; i++) {
        queued(1, 1);
        running(1);
    }
    CHECK_INT(reconcile_open(&a, NULL, NULL, TRUSTED, &err), 0);
    CHECK_INT(reconcile_open(&b, NULL, NULL, TRUSTED, &err), 0);
    reconcile_free(a);
    reconcile_free(b);
    CHECK_INT(fake_publisher.len, 2 * JOBS_EACH);
    CHECK(fake_store.swaps > swaps);
    for (size_t i = 0; i < fake_store.len; i++) {
        CHECK_INT(fake_store.jobs[i]->rev, 1);
        CHECK(fake_store.jobs[i]->tasks.at[0].crashes <= 1);
    }
}

static void a_finishing_job_gets_a_ticket(void)
{
    forget();
    struct job *job = running(-1000);
    job->simple = false;
    CHECK(job_settle(job, 0, 1, &(struct outcome){0}, clock_now_ms()));
    job->alarm_at = clock_now_ms() - 1;
    pass(TRUSTED);
    CHECK_INT(fake_publisher.len, 1);
}

/* A beat that a newer release wrote is no reason to leave jobs alone. */
static void unreadable_beats_strand_nobody(void)
{
    forget();
    queued(1, 1);
    fake_store.unreadable_beats = 1;
    pass(TRUSTED);
    fake_store.unreadable_beats = 0;
    CHECK_INT(fake_publisher.len, 1);
}

static void a_document_that_is_refused_strands_nobody(void)
{
    forget();
    queued(1, 1);
    struct job *other = queued(1, 1);
    fake_store.refused = 1;
    pass(TRUSTED);
    CHECK_INT(fake_publisher.len, 1);
    CHECK_STR(fake_publisher.sent[0].job, other->id);
}

int main(void)
{
    RUN(a_retry_is_published_when_it_is_due_and_once);
    RUN(a_backlog_is_not_doubled);
    RUN(what_is_on_its_way_is_not_repeated);
    RUN(another_process_repeats_them);
    RUN(a_lost_ticket_is_repeated_into_an_empty_queue);
    RUN(lost_tickets_are_repeated_into_a_busy_queue);
    RUN(a_purged_backlog_is_sent_again);
    RUN(after_an_outage_nobody_waits_for_alarms);
    RUN(an_ended_lease_is_a_crash);
    RUN(at_the_start_no_lease_is_called_ended);
    RUN(two_have_one_effect);
    RUN(what_cannot_be_judged_keeps_out_nobody);
    RUN(a_clock_that_jumped_ends_no_lease);
    RUN(a_finishing_job_gets_a_ticket);
    RUN(after_an_outage_leases_get_their_time_again);
    RUN(a_long_neighbour_makes_nothing_late);
    RUN(a_document_that_is_refused_strands_nobody);
    RUN(unreadable_beats_strand_nobody);
    arena_release(&fake_store.memory);
    return 0;
}
