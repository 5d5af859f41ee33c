/* The pulse: leases and progress of everything a process holds, in one write a second. */
#include "common/store.h"

#include <stdio.h>

#include "common/doc_bson.h"
#include "common/store_bulk.h"
#include "common/store_read.h"

enum { PATH_BYTES = 48 };

struct batch {
    struct store_pulse *held;
    bool *send; /* [len]: is part of this round */
    size_t len;
    const char *worker;
    int64_t lease_until;
    int64_t writes; /* of this round: one a job */
    struct arena *arena;
};

/* Where the run of neighbours of one job ends that begins at i. */
static size_t group_end(const struct batch *batch, size_t i)
{
    size_t end = i + 1;
    while (end < batch->len && strcmp(batch->held[end].job, batch->held[i].job) == 0)
        end++;
    return end;
}

/* The oldest revision known of one job: what any of its tasks has not seen yet must not be passed
 * over. */
static int64_t oldest_rev(const struct batch *batch, size_t from, size_t end)
{
    int64_t rev = batch->held[from].rev;
    for (size_t i = from + 1; i < end; i++)
        if (batch->held[i].rev < rev)
            rev = batch->held[i].rev;
    return rev;
}

static void append_lease(const struct batch *batch, const struct store_pulse *pulse, bson_t *set,
                         bson_t *max)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "tasks.%zu.lease_until", pulse->task);
    BSON_APPEND_DATE_TIME(set, path, batch->lease_until);
    snprintf(path, sizeof path, "tasks.%zu.message", pulse->task);
    if (pulse->message)
        BSON_APPEND_UTF8(set, path, pulse->message);
    snprintf(path, sizeof path, "tasks.%zu.percent", pulse->task);
    if (pulse->percent > 0)
        BSON_APPEND_INT64(max, path, pulse->percent);
}

/* One write for the tasks [from, end) of one job; none if none of them is sent. */
static bool fill_job(mongoc_bulk_operation_t *bulk, struct batch *batch, size_t from, size_t end,
                     bson_error_t *error)
{
    CLEANUP(bson_destroy) bson_t set = BSON_INITIALIZER, max = BSON_INITIALIZER;
    CLEANUP(bson_destroy) bson_t filter = BSON_INITIALIZER, update = BSON_INITIALIZER;
    CLEANUP(bson_destroy) bson_t opts = BSON_INITIALIZER;
    for (size_t i = from; i < end; i++)
        if (batch->send[i])
            append_lease(batch, &batch->held[i], &set, &max);
    if (bson_empty(&set))
        return true;
    BSON_APPEND_UTF8(&filter, "_id", batch->held[from].job);
    BSON_APPEND_INT64(&filter, "rev", oldest_rev(batch, from, end));
    BSON_APPEND_DOCUMENT(&update, "$set", &set);
    if (!bson_empty(&max))
        BSON_APPEND_DOCUMENT(&update, "$max", &max);
    batch->writes++;
    return mongoc_bulk_operation_update_one_with_opts(bulk, &filter, &update,
                                                      store_unchecked(&opts, false), error);
}

static bool fill_pulses(mongoc_bulk_operation_t *bulk, void *arg, bson_error_t *error)
{
    struct batch *batch = arg;
    batch->writes = 0;
    for (size_t i = 0, end; i < batch->len; i = end) {
        end = group_end(batch, i);
        if (!fill_job(bulk, batch, i, end, error))
            return false;
    }
    return true;
}

/* 0: every job was as we know it; 1: some were not; -1. */
static int send_pulses(struct store_call *call, struct batch *batch, struct err *err)
{
    CLEANUP(bson_destroy) bson_t reply = BSON_INITIALIZER;
    const struct store_bulk work = {JOBS, fill_pulses, batch};
    int done = store_call_bulk(call, &work, &reply, err);
    if (done == 1)
        return err_set(err, ERR_INTERNAL, "store: pulses were refused");
    return done < 0 ? -1 : store_reply_count(&reply, "nMatched") < batch->writes;
}

static bool is_ours(const struct batch *batch, const struct store_pulse *pulse,
                    const struct job *job)
{
    if (pulse->task >= job->tasks.len)
        return false;
    const struct task *task = &job->tasks.at[pulse->task];
    return task->state == TASK_RUNNING && task->run == pulse->run && task->worker &&
           strcmp(task->worker, batch->worker) == 0;
}

/* What the job as read means for its tasks [from, end); if the first round did not renew them,
 * those still ours are sent again with the revision it has now. */
static void compare(struct batch *batch, size_t from, size_t end, const struct job *job)
{
    bool renewed = oldest_rev(batch, from, end) == job->rev;
    for (size_t i = from; i < end; i++) {
        struct store_pulse *pulse = &batch->held[i];
        pulse->alive = is_ours(batch, pulse, job);
        pulse->stop = job->stop.code;
        pulse->rev = job->rev;
        batch->send[i] = pulse->alive && !renewed;
    }
}

static void compare_all(struct batch *batch, const struct job *job)
{
    for (size_t i = 0, end; i < batch->len; i = end) {
        end = group_end(batch, i);
        if (strcmp(batch->held[i].job, job->id) == 0)
            compare(batch, i, end, job);
    }
}

static int read_held(struct store_call *call, const struct batch *batch, struct store_list *jobs,
                     struct err *err)
{
    static const char *const names[] = {"rev", "stop", "tasks.state", "tasks.run", "tasks.worker"};
    CLEANUP(bson_destroy) bson_t filter = BSON_INITIALIZER, fields = BSON_INITIALIZER;
    const char **ids = arena_alloc_array(batch->arena, batch->len, sizeof *ids);
    size_t len = 0;
    for (size_t i = 0; i < batch->len; i = group_end(batch, i))
        ids[len++] = batch->held[i].job;
    store_filter_ids(&filter, doc_field(&job_doc, "id"), ids, len);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        BSON_APPEND_INT32(&fields, names[i], 1);
    const struct store_read read = {.collection = JOBS,
                                    .filter = &filter,
                                    .projection = &fields,
                                    .limit = len,
                                    .take = store_list_take,
                                    .arg = jobs};
    return store_call_read(call, &read, err);
}

static int pulse(struct store_call *call, struct batch *batch, struct err *err)
{
    int changed = send_pulses(call, batch, err);
    if (changed < 0)
        return -1;
    struct store_list jobs = {.doc = &job_doc, .arena = batch->arena};
    if (changed && read_held(call, batch, &jobs, err) < 0)
        return -1;
    for (size_t i = 0; i < batch->len; i++) {
        batch->held[i].alive = !changed;
        batch->send[i] = false;
    }
    for (size_t i = 0; i < jobs.len; i++)
        compare_all(batch, (const struct job *)(const void *)jobs.at + i);
    bool again = false;
    for (size_t i = 0; i < batch->len; i++)
        again = again || batch->send[i];
    /* What changed once more in between is seen a second later; leases last longer than that. */
    return again && send_pulses(call, batch, err) < 0 ? -1 : 0;
}

int store_pulse(struct store *store, struct store_pulse *held, size_t len, const char *worker,
                int64_t lease_until, struct err *err)
{
    CLEANUP(store_call_end) struct store_call call;
    CLEANUP(arena_at) struct arena arena = {0};
    if (store_call_begin(&call, store, err) < 0)
        return -1;
    struct batch batch = {.held = held,
                          .send = arena_alloc_array(&arena, len, sizeof *batch.send),
                          .len = len,
                          .worker = worker,
                          .lease_until = lease_until,
                          .arena = &arena};
    for (size_t i = 0; i < len; i++)
        batch.send[i] = true;
    return len == 0 ? 0 : pulse(&call, &batch, err);
}
