/* Everybody gets the job that was asked for, as it is by then; what waits together is read
 * together, and fails together. */
#include "gateway/job_reader.h"

#include <pthread.h>
#include <stdatomic.h>

#include "common/clock.h"
#include "common/store_fixture.h"

enum { JOBS = 5, ASKERS = 8, ROUNDS = 100, MANY = 300 };

struct question {
    struct job_read read;
    char got[ID_ULID_LEN + 1]; /* the job's id */
    int64_t rev;
    enum error error;
    atomic_int answers;
};

static struct job_reader *reader;
static char ids[JOBS][ID_ULID_LEN + 1];

static void on_done(void *arg, const struct job *job, const struct err *err)
{
    struct question *question = arg;
    snprintf(question->got, sizeof question->got, "%s", job ? job->id : "");
    question->rev = job ? job->rev : -1;
    question->error = err->code;
    atomic_fetch_add(&question->answers, 1);
}

static int ask(struct question *question, const char *id, struct err *err)
{
    *question = (struct question){.read = {.id = id, .done = on_done, .arg = question}};
    return job_reader_submit(reader, &question->read, err);
}

static void await(struct question *question)
{
    while (!atomic_load(&question->answers))
        clock_sleep_ms(1);
}

static void *ask_again_and_again(void *arg)
{
    const size_t *first = arg;
    for (size_t i = 0; i < ROUNDS; i++) {
        struct question question;
        struct err err = {0};
        const char *id = ids[(*first + i) % JOBS];
        CHECK_INT(ask(&question, id, &err), 0);
        await(&question);
        CHECK_STR(question.got, id);
        CHECK_INT(question.error, ERR_NONE);
    }
    return NULL;
}

static void everybody_gets_what_was_asked_for(void)
{
    pthread_t threads[ASKERS];
    size_t first[ASKERS];
    for (size_t i = 0; i < ASKERS; i++) {
        first[i] = i;
        CHECK(pthread_create(&threads[i], NULL, ask_again_and_again, &first[i]) == 0);
    }
    for (size_t i = 0; i < ASKERS; i++)
        pthread_join(threads[i], NULL);
}

static void nobody_has_such_a_job(void)
{
    struct question question, other;
    struct err err = {0};
    CHECK_INT(ask(&question, "01ARZ3NDEKTSV4RRFFQ69G5FAV", &err), 0);
    CHECK_INT(ask(&other, ids[0], &err), 0);
    await(&question);
    await(&other);
    CHECK_INT(question.error, ERR_JOB_NOT_FOUND);
    CHECK_STR(question.got, "");
    CHECK_STR(other.got, ids[0]);
}

/* 300 questions about five jobs: at most 64 in a read; the first one may have gone alone. */
static void what_waits_is_read_together(struct store *store)
{
    static struct question questions[MANY];
    int64_t before = store_commands(store);
    struct err err = {0};
    for (size_t i = 0; i < MANY; i++)
        CHECK_INT(ask(&questions[i], ids[i % JOBS], &err), 0);
    for (size_t i = 0; i < MANY; i++) {
        await(&questions[i]);
        CHECK_STR(questions[i].got, ids[i % JOBS]);
    }
    CHECK(store_commands(store) - before < MANY / 2);
}

static void what_was_saved_before_is_seen(struct store *store)
{
    struct arena arena = {0};
    struct question question;
    struct err err = {0};
    struct job before = fixture_read(store, ids[0], &arena), after = fixture_copy(&before, &arena);
    CHECK(job_stop(&after, ERR_CANCELLED, "test", NOW));
    CHECK(fixture_swap(store, &before, &after));
    CHECK_INT(ask(&question, ids[0], &err), 0);
    await(&question);
    CHECK_INT(question.rev, before.rev + 1);
    arena_release(&arena);
}

static void an_unreadable_job_keeps_no_other_from_its_reader(struct store *store)
{
    static struct question questions[MANY];
    struct err err = {0};
    fixture_make_unreadable(store, ids[1]);
    for (size_t i = 0; i < MANY; i++)
        CHECK_INT(ask(&questions[i], ids[i % JOBS], &err), 0);
    for (size_t i = 0; i < MANY; i++) {
        await(&questions[i]);
        CHECK_STR(questions[i].got, i % JOBS == 1 ? "" : ids[i % JOBS]);
        CHECK((questions[i].error == ERR_NONE) == (i % JOBS != 1));
        CHECK(questions[i].error != ERR_JOB_NOT_FOUND);
    }
}

/* Each is answered once, though nobody waited for it; what is too much is refused. */
static void ends_with_answers(struct store *store)
{
    static struct question questions[MANY];
    struct err err = {0};
    size_t taken = 0;
    reader = job_reader_open(store, 10);
    while (taken < MANY && ask(&questions[taken], ids[taken % JOBS], &err) == 0)
        taken++;
    CHECK(taken >= 10);
    if (taken < MANY)
        CHECK_INT(err.code, ERR_OVERLOADED);
    job_reader_free(reader);
    for (size_t i = 0; i < taken; i++) {
        CHECK_INT(atomic_load(&questions[i].answers), 1);
        CHECK_STR(questions[i].got, ids[i % JOBS]);
    }
}

static void without_a_store_all_are_told(void)
{
    static struct question questions[MANY];
    const struct store_settings nowhere = {"mongodb://127.0.0.1:1/x", 300, 300, 4};
    struct store *store;
    struct err err = {0};
    int64_t began = clock_mono_ms();
    CHECK_INT(store_open(&store, &nowhere, "job-reader-test", &err), 0);
    reader = job_reader_open(store, MANY);
    for (size_t i = 0; i < MANY; i++)
        CHECK_INT(ask(&questions[i], "01ARZ3NDEKTSV4RRFFQ69G5FAV", &err), 0);
    job_reader_free(reader);
    for (size_t i = 0; i < MANY; i++) {
        CHECK_INT(atomic_load(&questions[i].answers), 1);
        CHECK_INT(questions[i].error, ERR_STORE_UNAVAILABLE);
    }
    printf("all were told after %lld ms\n", (long long)(clock_mono_ms() - began));
    store_free(store);
}

int main(void)
{
    const char *url = fixture_url();
    struct arena arena = {0};
    RUN(without_a_store_all_are_told);
    if (!url)
        return 0;
    struct store *store = fixture_open(url);
    for (size_t i = 0; i < JOBS; i++) {
        struct job job = fixture_job(&arena);
        fixture_insert(store, &job);
        snprintf(ids[i], sizeof ids[i], "%s", job.id);
    }
    reader = job_reader_open(store, 1000);
    RUN(everybody_gets_what_was_asked_for);
    RUN(nobody_has_such_a_job);
    what_waits_is_read_together(store);
    what_was_saved_before_is_seen(store);
    job_reader_free(reader);
    ends_with_answers(store);
    reader = job_reader_open(store, 1000);
    an_unreadable_job_keeps_no_other_from_its_reader(store);
    job_reader_free(reader);
    for (size_t i = 0; i < JOBS; i++)
        fixture_delete(store, ids[i]);
    store_free(store);
    arena_release(&arena);
    return 0;
}
