/* A queue, and threads that take turns: whose turn it is takes all that waits. */
#include "gateway/job_reader.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 2 }; /* while one waits for the store, the other one answers */

struct job_reader {
    struct store *store;
    size_t limit, waiting;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct job_read *first, **last;
    bool reading, closing; /* reading: somebody waits for the store, and others wait for him */
    pthread_t threads[THREADS];
};

/* With the lock: the first `most` of those that wait. */
static struct job_read *take(struct job_reader *reader, size_t most)
{
    struct job_read *reads = reader->first, **end = &reader->first;
    for (size_t i = 0; i < most && *end; i++, reader->waiting--)
        end = &(*end)->next;
    reader->first = *end;
    *end = NULL;
    if (!reader->first)
        reader->last = &reader->first;
    return reads;
}

static bool await_turn(struct job_reader *reader)
{
    while (reader->reading || !reader->first) {
        if (reader->closing && !reader->first)
            return false;
        pthread_cond_wait(&reader->changed, &reader->mutex);
    }
    return true;
}

static size_t gather_ids(const struct job_read *reads, const char *ids[JOB_READ_MAX])
{
    size_t len = 0;
    for (; reads; reads = reads->next) {
        size_t known = 0;
        while (known < len && strcmp(ids[known], reads->id) != 0)
            known++;
        ids[known] = reads->id;
        len = known < len ? len : known + 1;
    }
    return len;
}

static const struct job *find(const struct job *jobs, size_t len, const char *id)
{
    for (size_t i = 0; i < len; i++)
        if (strcmp(jobs[i].id, id) == 0)
            return &jobs[i];
    return NULL;
}

static void answer(struct job_read *reads, const struct job *jobs, size_t len,
                   const struct err *failed)
{
    for (struct job_read *next; reads; reads = next) {
        next = reads->next;
        const struct job *job = find(jobs, len, reads->id);
        struct err err = *failed;
        if (!job && err.code == ERR_NONE)
            err_set(&err, ERR_JOB_NOT_FOUND, "there is no job %s", reads->id);
        reads->done(reads->arg, job, &err);
    }
}

/* A job that cannot be read (a newer release wrote it) must not keep others from theirs. */
static void answer_one_by_one(struct store *store, struct job_read *reads, struct arena *arena)
{
    for (struct job_read *next; reads; reads = next) {
        next = reads->next;
        struct job job;
        struct err err = {0};
        int failed = store_job(store, reads->id, arena, &job, &err);
        reads->done(reads->arg, failed ? NULL : &job, &err);
    }
}

/* With the lock, which it gives up meanwhile. */
static void read_some(struct job_reader *reader, struct arena *arena)
{
    const char *ids[JOB_READ_MAX];
    struct job *jobs = NULL;
    size_t len = 0;
    struct err err = {0};
    struct job_read *reads = take(reader, JOB_READ_MAX), *others = NULL;
    reader->reading = true;
    pthread_mutex_unlock(&reader->mutex);
    if (store_jobs_by_id(reader->store, ids, gather_ids(reads, ids), arena, &jobs, &len, &err))
        len = 0;
    pthread_mutex_lock(&reader->mutex);
    reader->reading = false;
    if (err.code == ERR_STORE_UNAVAILABLE) /* those that wait would wait as long for nothing */
        others = take(reader, SIZE_MAX);
    if (reader->first || reader->closing)
        pthread_cond_signal(&reader->changed);
    pthread_mutex_unlock(&reader->mutex);
    if (err.code == ERR_NONE || err.code == ERR_STORE_UNAVAILABLE)
        answer(reads, jobs, len, &err);
    else
        answer_one_by_one(reader->store, reads, arena);
    answer(others, NULL, 0, &err);
    arena_reset(arena);
    pthread_mutex_lock(&reader->mutex);
}

static void *run(void *arg)
{
    struct job_reader *reader = arg;
    struct arena arena = {0};
    pthread_mutex_lock(&reader->mutex);
    while (await_turn(reader))
        read_some(reader, &arena);
    pthread_mutex_unlock(&reader->mutex);
    arena_release(&arena);
    return NULL;
}

struct job_reader *job_reader_open(struct store *store, size_t limit)
{
    struct job_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        abort();
    reader->store = store;
    reader->limit = limit;
    reader->last = &reader->first;
    pthread_mutex_init(&reader->mutex, NULL);
    pthread_cond_init(&reader->changed, NULL);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&reader->threads[i], NULL, run, reader))
            abort();
    return reader;
}

void job_reader_free(struct job_reader *reader)
{
    if (!reader)
        return;
    pthread_mutex_lock(&reader->mutex);
    reader->closing = true;
    pthread_cond_broadcast(&reader->changed);
    pthread_mutex_unlock(&reader->mutex);
    for (int i = 0; i < THREADS; i++)
        pthread_join(reader->threads[i], NULL);
    pthread_cond_destroy(&reader->changed);
    pthread_mutex_destroy(&reader->mutex);
    free(reader);
}

int job_reader_submit(struct job_reader *reader, struct job_read *read, struct err *err)
{
    pthread_mutex_lock(&reader->mutex);
    bool room = reader->waiting < reader->limit;
    if (room) {
        read->next = NULL;
        *reader->last = read;
        reader->last = &read->next;
        reader->waiting++;
        if (!reader->reading)
            pthread_cond_signal(&reader->changed);
    }
    pthread_mutex_unlock(&reader->mutex);
    return room ? 0 : err_set(err, ERR_OVERLOADED, "too many requests wait");
}
