/* The claim: a queued task becomes ours inside the database, and a token proves whose it is. */
#include "common/store.h"

#include <stdio.h>

#include "common/doc_bson.h"
#include "common/store_bulk.h"
#include "common/store_read.h"

enum { PATH_BYTES = 48 };

struct batch {
    struct store_claim *claims;
    bson_oid_t *tokens; /* [len]: those of one update share the first's */
    size_t *leader;     /* [len]: the first claim of the same update */
    const char **ids;   /* [len]: room for the jobs of one update or of all */
    size_t len;
    const char *worker;
    int64_t now, lease_until;
    struct arena *arena;
};

static const char *task_path(char out[PATH_BYTES], size_t task, const char *member)
{
    snprintf(out, PATH_BYTES, "tasks.%zu.%s", task, member);
    return out;
}

static const char *job_of(const void *arg, size_t i)
{
    const struct batch *batch = arg;
    return batch->claims[i].job;
}

/* Of all claims that differ in the job alone. */
static size_t append_filter(const struct batch *batch, size_t leader, bson_t *out)
{
    const struct store_claim *claim = &batch->claims[leader];
    char path[PATH_BYTES];
    bson_t test, crashed;
    size_t len = store_group_jobs(batch->leader, batch->len, leader, job_of, batch, batch->ids);
    store_filter_jobs(out, batch->ids, len);
    BSON_APPEND_UTF8(out, task_path(path, claim->task, "state"), task_state_names[TASK_QUEUED]);
    BSON_APPEND_DOCUMENT_BEGIN(out, task_path(path, claim->task, "due_at"), &test);
    BSON_APPEND_DATE_TIME(&test, "$lte", batch->now + JOB_SKEW_MS);
    bson_append_document_end(out, &test);
    if (claim->kind)
        BSON_APPEND_UTF8(out, task_path(path, claim->task, "kind"), kind_names[claim->kind]);
    if (claim->alone)
        return len;
    BSON_APPEND_DOCUMENT_BEGIN(out, task_path(path, claim->task, "crashes"), &test);
    BSON_APPEND_DOCUMENT_BEGIN(&test, "$not", &crashed);
    BSON_APPEND_INT64(&crashed, "$gte", JOB_CRASHES_ALONE);
    bson_append_document_end(&test, &crashed);
    bson_append_document_end(out, &test);
    return len;
}

static void append_set(const struct batch *batch, size_t i, bson_t *update)
{
    size_t task = batch->claims[i].task;
    char path[PATH_BYTES];
    bson_t set;
    BSON_APPEND_DOCUMENT_BEGIN(update, "$set", &set);
    BSON_APPEND_UTF8(&set, "state", job_state_names[JOB_RUNNING]);
    BSON_APPEND_UTF8(&set, task_path(path, task, "state"), task_state_names[TASK_RUNNING]);
    BSON_APPEND_UTF8(&set, task_path(path, task, "worker"), batch->worker);
    BSON_APPEND_DATE_TIME(&set, task_path(path, task, "lease_until"), batch->lease_until);
    BSON_APPEND_OID(&set, task_path(path, task, "claim"), &batch->tokens[i]);
    bson_append_document_end(update, &set);
}

/* proto/transition.c's job_claim says the same of a job in memory. */
static void append_update(const struct batch *batch, size_t i, bson_t *update)
{
    size_t task = batch->claims[i].task;
    char path[PATH_BYTES];
    bson_t part;
    append_set(batch, i, update);
    BSON_APPEND_DOCUMENT_BEGIN(update, "$inc", &part);
    BSON_APPEND_INT64(&part, "rev", 1);
    BSON_APPEND_INT64(&part, task_path(path, task, "run"), 1);
    bson_append_document_end(update, &part);
    BSON_APPEND_DOCUMENT_BEGIN(update, "$min", &part);
    BSON_APPEND_DATE_TIME(&part, "alarm_at", batch->lease_until);
    BSON_APPEND_DATE_TIME(&part, "started_at", batch->now);
    BSON_APPEND_DATE_TIME(&part, task_path(path, task, "started_at"), batch->now);
    bson_append_document_end(update, &part);
    BSON_APPEND_DOCUMENT_BEGIN(update, "$push", &part);
    store_append_log(
        &part, &(struct log_line){.at = batch->now, .event = "claimed", .by = batch->worker}, NULL);
    bson_append_document_end(update, &part);
}

static bool holds_token(const bson_t *document, size_t task, const bson_oid_t *token)
{
    char path[PATH_BYTES];
    bson_iter_t iter, found;
    return bson_iter_init(&iter, document) &&
           bson_iter_find_descendant(&iter, task_path(path, task, "claim"), &found) &&
           BSON_ITER_HOLDS_OID(&found) && bson_oid_equal(bson_iter_oid(&found), token);
}

/* A second ticket of one task in one batch looks for the same token. */
static bool is_second(const struct batch *batch, size_t i)
{
    for (size_t before = batch->leader[i]; before < i; before++)
        if (batch->leader[before] == batch->leader[i] && batch->claims[before].claimed &&
            strcmp(batch->claims[before].job, batch->claims[i].job) == 0)
            return true;
    return false;
}

/* Gives the document to every claim of that job. One that cannot be read (a newer release wrote it)
 * counts as none: it must not keep the others, and its alarm brings it to whoever can. */
static int take_found(void *arg, const bson_t *document, struct err *err)
{
    (void)err;
    const struct batch *batch = arg;
    bson_iter_t id;
    if (!bson_iter_init_find(&id, document, "_id") || !BSON_ITER_HOLDS_UTF8(&id))
        return 0;
    for (size_t i = 0; i < batch->len; i++) {
        struct store_claim *claim = &batch->claims[i];
        if (strcmp(claim->job, bson_iter_utf8(&id, NULL)) != 0)
            continue;
        struct err unread = {0};
        bool read = doc_bson_decode(&job_doc, document, batch->arena, &claim->found, &unread) == 0;
        if (!read)
            claim->found = (struct job){0};
        claim->claimed =
            read && holds_token(document, claim->task, &batch->tokens[i]) && !is_second(batch, i);
    }
    return 0;
}

static int read_found(struct store_call *call, struct batch *batch, struct err *err)
{
    CLEANUP(bson_destroy) bson_t filter = BSON_INITIALIZER;
    for (size_t i = 0; i < batch->len; i++)
        batch->ids[i] = batch->claims[i].job;
    store_filter_jobs(&filter, batch->ids, batch->len);
    const struct store_read read = {.collection = JOBS,
                                    .filter = &filter,
                                    .limit = batch->len,
                                    .take = take_found,
                                    .arg = batch};
    return store_call_read(call, &read, err);
}

static int find_and_modify(struct store_call *call, const struct batch *batch, bson_t *reply,
                           struct err *err)
{
    CLEANUP(bson_destroy) bson_t filter = BSON_INITIALIZER, update = BSON_INITIALIZER;
    append_filter(batch, 0, &filter);
    append_update(batch, 0, &update);
    mongoc_find_and_modify_opts_t *opts = mongoc_find_and_modify_opts_new();
    mongoc_find_and_modify_opts_set_update(opts, &update);
    mongoc_find_and_modify_opts_set_flags(opts, MONGOC_FIND_AND_MODIFY_RETURN_NEW);
    CLEANUP(collection_at) mongoc_collection_t *collection = store_call_collection(call, JOBS);
    bson_error_t error;
    bool done;
    do {
        bson_destroy(reply);
        done =
            mongoc_collection_find_and_modify_with_opts(collection, &filter, opts, reply, &error);
    } while (!done && store_call_again(call, &error));
    mongoc_find_and_modify_opts_destroy(opts);
    return done ? 0 : store_call_fail(call, &error, err);
}

static int claim_one(struct store_call *call, struct batch *batch, struct err *err)
{
    CLEANUP(bson_destroy) bson_t reply = BSON_INITIALIZER;
    if (find_and_modify(call, batch, &reply, err) < 0)
        return -1;
    bson_iter_t value;
    if (!bson_iter_init_find(&value, &reply, "value") || !BSON_ITER_HOLDS_DOCUMENT(&value))
        return read_found(call, batch, err);
    const uint8_t *bytes;
    uint32_t len;
    bson_t document;
    bson_iter_document(&value, &len, &bytes);
    if (!bson_init_static(&document, bytes, len))
        return err_set(err, ERR_INTERNAL, "store: broken answer to a claim");
    return take_found(batch, &document, err);
}

static bool fill_claims(mongoc_bulk_operation_t *bulk, void *arg, bson_error_t *error)
{
    const struct batch *batch = arg;
    for (size_t i = 0; i < batch->len; i++) {
        CLEANUP(bson_destroy) bson_t filter = BSON_INITIALIZER, update = BSON_INITIALIZER;
        if (batch->leader[i] != i)
            continue;
        size_t len = append_filter(batch, i, &filter);
        append_update(batch, i, &update);
        if (!store_bulk_update(bulk, &filter, &update, len, error))
            return false;
    }
    return true;
}

static int claim_many(struct store_call *call, struct batch *batch, struct err *err)
{
    CLEANUP(bson_destroy) bson_t reply = BSON_INITIALIZER;
    const struct store_bulk work = {JOBS, fill_claims, batch};
    int done = store_call_bulk(call, &work, &reply, err);
    if (done == 1)
        return err_set(err, ERR_INTERNAL, "store: claims were refused");
    return done < 0 ? -1 : read_found(call, batch, err);
}

static bool is_one_update(const void *arg, size_t a, size_t b)
{
    const struct batch *batch = arg;
    const struct store_claim *one = &batch->claims[a], *other = &batch->claims[b];
    return one->task == other->task && one->kind == other->kind && one->alone == other->alone;
}

/* Claims that differ in the job alone become one update with one token: most of a batch. */
static void group(struct batch *batch)
{
    store_group(batch->leader, batch->len, is_one_update, batch);
    for (size_t i = 0; i < batch->len; i++) {
        if (batch->leader[i] == i)
            bson_oid_init(&batch->tokens[i], NULL);
        else
            batch->tokens[i] = batch->tokens[batch->leader[i]];
    }
}

int store_claim(struct store *store, struct store_claim *claims, size_t len, const char *worker,
                int64_t now, int64_t lease_ms, struct arena *arena, struct err *err)
{
    CLEANUP(store_call_end) struct store_call call;
    if (store_call_begin(&call, store, err) < 0)
        return -1;
    struct batch batch = {.claims = claims,
                          .tokens = arena_alloc_array(arena, len, sizeof *batch.tokens),
                          .leader = arena_alloc_array(arena, len, sizeof *batch.leader),
                          .ids = arena_alloc_array(arena, len, sizeof *batch.ids),
                          .len = len,
                          .worker = worker,
                          .now = now,
                          .lease_until = now + lease_ms,
                          .arena = arena};
    for (size_t i = 0; i < len; i++) {
        claims[i].claimed = false;
        claims[i].found = (struct job){0};
    }
    if (len == 0)
        return 0;
    group(&batch);
    return len == 1 ? claim_one(&call, &batch, err) : claim_many(&call, &batch, err);
}
