/* Whose a key is, and which jobs are over for long enough. */
#include "check.h"

#include "common/clock.h"
#include "proto/file_path.h"
#include "worker/held.h"
#include "worker/storage/expire.h"

enum { JOBS = 250 };

static struct runtime runtime;
static struct run run = {.runtime = &runtime};
static struct arena arena;
static struct job jobs[JOBS];
static size_t jobs_len, asked_len, calls;

/* The store's door: finds among `jobs`. */
int store_jobs_by_id(struct store *store, const char *const *ids, size_t len, struct arena *memory,
                     struct job **out, size_t *out_len, struct err *err)
{
    (void)store, (void)err;
    struct job *found = arena_alloc_array(memory, len, sizeof *found);
    *out_len = 0;
    calls++;
    asked_len += len;
    for (size_t i = 0; i < len; i++)
        for (size_t n = 0; n < jobs_len; n++)
            if (strcmp(ids[i], jobs[n].id) == 0)
                found[(*out_len)++] = jobs[n];
    *out = found;
    return 0;
}

/* The rest of that door, which nobody opens here. */
int store_insert_jobs(struct store *store, const struct job *const *list, size_t len,
                      struct err *errs, struct err *err)
{
    (void)store, (void)list, (void)len, (void)errs;
    return err_set(err, ERR_INTERNAL, "not here");
}
int store_job(struct store *store, const char *id, struct arena *memory, struct job *out,
              struct err *err)
{
    (void)store, (void)id, (void)memory, (void)out;
    return err_set(err, ERR_INTERNAL, "not here");
}
int store_list_jobs(struct store *store, const struct job_query *query, struct arena *memory,
                    struct job **out, size_t *len, struct err *err)
{
    (void)store, (void)query, (void)memory, (void)out, (void)len;
    return err_set(err, ERR_INTERNAL, "not here");
}

static const char *ulid(size_t i)
{
    return arena_printf(&arena, "01ARZ3NDEKTSV4RRFFQ69G%04zu", i);
}

static void keys_tell_their_job(void)
{
    static const struct {
        const char *key, *job;
    } rows[] = {
        {"projects/p/scenes/s/01ARZ3NDEKTSV4RRFFQ69G5FAV/hls/a.m4s", "01ARZ3NDEKTSV4RRFFQ69G5FAV"},
        {"projects/p/scenes/s/01ARZ3NDEKTSV4RRFFQ69G5FAV/", "01ARZ3NDEKTSV4RRFFQ69G5FAV"},
        {"projects/p/scenes/s/media/film.mp4", NULL}, /* as others wrote them */
        {"projects/p/scenes/s/x01ARZ3NDEKTSV4RRFFQ69G5FAV/a", NULL},
        {"projects/p/scenes/s/01arz3ndektsv4rrffq69g5fav/a", NULL},
        {"other/p/scenes/s/01ARZ3NDEKTSV4RRFFQ69G5FAV/a", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char job[27];
        CHECK_INT(file_key_job(rows[i].key, job), rows[i].job != NULL);
        if (rows[i].job)
            CHECK_STR(job, rows[i].job);
    }
}

static void only_what_is_long_over_is_dead(void)
{
    const struct expiry expiry = {.run = &run, .before = 1000};
    const struct {
        enum job_state state;
        int64_t finished_at;
        bool dead;
    } rows[] = {
        {JOB_QUEUED, 0, false},       {JOB_RUNNING, 0, false},
        {JOB_SUCCEEDED, 999, true},   {JOB_SUCCEEDED, 1000, false},
        {JOB_FAILED, 1, true},        {JOB_CANCELLED, 1, true},
        {JOB_CANCELLED, 5000, false}, {JOB_NONE, 0, true /* unknown */},
    };
    enum { LEN = sizeof rows / sizeof rows[0] };
    const char *ids[LEN + 2];
    bool dead[LEN + 2];
    struct err err = {0};
    jobs_len = 0;
    for (size_t i = 0; i < LEN; i++) {
        ids[i] = ulid(i);
        if (rows[i].state)
            jobs[jobs_len++] = (struct job){
                .id = ids[i], .state = rows[i].state, .finished_at = rows[i].finished_at};
    }
    ids[LEN] = NULL;
    ids[LEN + 1] = "no-ulid";
    CHECK_INT(expire_judge(&expiry, ids, LEN + 2, dead, &arena, &err), 0);
    for (size_t i = 0; i < LEN; i++)
        CHECK_INT(dead[i], rows[i].dead);
    CHECK(dead[LEN] && dead[LEN + 1]);
}

/* Rows of a few jobs, mixed: each job is asked for once, some at a time. */
static void jobs_are_asked_for_once(void)
{
    const struct expiry expiry = {.run = &run, .before = 1000};
    const char *ids[EXPIRE_BATCH];
    bool dead[EXPIRE_BATCH];
    struct err err = {0};
    jobs_len = 0;
    asked_len = calls = 0;
    for (size_t i = 0; i < JOBS; i += 2)
        jobs[jobs_len++] = (struct job){.id = ulid(i), .state = JOB_RUNNING};
    for (size_t i = 0; i < EXPIRE_BATCH; i++)
        ids[i] = ulid(i * 7 % JOBS);
    CHECK_INT(expire_judge(&expiry, ids, EXPIRE_BATCH, dead, &arena, &err), 0);
    CHECK_INT(asked_len, JOBS);
    CHECK_INT(calls, 3);
    for (size_t i = 0; i < EXPIRE_BATCH; i++)
        CHECK_INT(dead[i], i * 7 % JOBS % 2 == 1);
    CHECK_INT(expire_judge(&expiry, ids, 0, dead, &arena, &err), 0);
}

int main(void)
{
    RUN(keys_tell_their_job);
    RUN(only_what_is_long_over_is_dead);
    RUN(jobs_are_asked_for_once);
    arena_release(&arena);
    return 0;
}
