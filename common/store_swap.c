/* The swap: a job's next form is saved if nobody else was faster, and a token proves whose form was
 * saved. */
#include "common/store.h"

#include "common/doc_bson.h"
#include "common/doc_diff.h"
#include "common/store_bulk.h"
#include "common/store_read.h"
#include "proto/transition.h"

/* Where the token stands: in the log line, and for a change without one in the job itself. Neither
 * is in a table. */
#define TOKEN "token"

struct batch {
    struct store_swap *swaps;
    bson_oid_t *tokens; /* [len]: the same for different jobs, so that equal updates look equal */
    bson_t **updates;   /* [len] */
    size_t *leader;     /* [len]: the first swap of that update */
    const char **ids;   /* [len]: room for the jobs of one update, or of all */
    size_t len;
};

void store_append_log(bson_t *push, const struct log_line *line, const bson_oid_t *token)
{
    bson_t log, each, first;
    BSON_APPEND_DOCUMENT_BEGIN(push, "log", &log);
    BSON_APPEND_ARRAY_BEGIN(&log, "$each", &each);
    BSON_APPEND_DOCUMENT_BEGIN(&each, "0", &first);
    doc_bson_encode(&log_line_doc, line, &first);
    if (token)
        BSON_APPEND_OID(&first, TOKEN, token);
    bson_append_document_end(&each, &first);
    bson_append_array_end(&log, &each);
    BSON_APPEND_INT32(&log, "$slice", -JOB_LOG_MAX);
    bson_append_document_end(push, &log);
}

static void append_event(const struct store_swap *swap, const bson_oid_t *token, bson_t *update)
{
    bson_t push;
    struct log_line line = swap->after->event;
    line.rev = swap->before->rev + 1;
    BSON_APPEND_DOCUMENT_BEGIN(update, "$push", &push);
    store_append_log(&push, &line, token);
    bson_append_document_end(update, &push);
}

/* The end of a run changes most of its task, which nobody else writes to any more: one value costs
 * a server less than ten dotted paths. */
static bool has_ended(const struct field *list, const void *before, const void *after)
{
    const struct task *was = before, *is = after;
    return list->doc == &task_doc && was->state == TASK_RUNNING && task_ended(is);
}

static void append_update(const struct store_swap *swap, const bson_oid_t *token, bson_t *update)
{
    static const char *const skip[] = {"rev", "log", NULL};
    CLEANUP(bson_destroy) bson_t set = BSON_INITIALIZER, unset = BSON_INITIALIZER;
    doc_diff(&job_doc, swap->before, swap->after, skip, has_ended, &set, &unset);
    if (swap->after->event.event)
        append_event(swap, token, update);
    else
        BSON_APPEND_OID(&set, TOKEN, token);
    if (!bson_empty(&set))
        BSON_APPEND_DOCUMENT(update, "$set", &set);
    if (!bson_empty(&unset))
        BSON_APPEND_DOCUMENT(update, "$unset", &unset);
    bson_t inc;
    BSON_APPEND_DOCUMENT_BEGIN(update, "$inc", &inc);
    BSON_APPEND_INT64(&inc, "rev", 1);
    bson_append_document_end(update, &inc);
}

static const char *job_of(const void *arg, size_t i)
{
    const struct batch *batch = arg;
    return batch->swaps[i].before->id;
}

/* Of all swaps that are one update: many, where short tasks end in the same millisecond. */
static size_t append_filter(const struct batch *batch, size_t leader, bson_t *filter)
{
    size_t len = store_group_jobs(batch->leader, batch->len, leader, job_of, batch, batch->ids);
    store_filter_jobs(filter, batch->ids, len);
    BSON_APPEND_INT64(filter, "rev", batch->swaps[leader].before->rev);
    return len;
}

static bool fill_swaps(mongoc_bulk_operation_t *bulk, void *arg, bson_error_t *error)
{
    const struct batch *batch = arg;
    for (size_t i = 0; i < batch->len; i++) {
        CLEANUP(bson_destroy) bson_t filter = BSON_INITIALIZER;
        if (batch->leader[i] != i)
            continue;
        size_t len = append_filter(batch, i, &filter);
        if (!store_bulk_update(bulk, &filter, batch->updates[i], len, error))
            return false;
    }
    return true;
}

static bool is_one_update(const void *arg, size_t a, size_t b)
{
    const struct batch *batch = arg;
    return batch->swaps[a].before->rev == batch->swaps[b].before->rev &&
           bson_equal(batch->updates[a], batch->updates[b]);
}

static bool is_first_of_its_job(const struct batch *batch, size_t i)
{
    for (size_t before = 0; before < i; before++)
        if (strcmp(batch->swaps[before].before->id, batch->swaps[i].before->id) == 0)
            return false;
    return true;
}

static void prepare(struct batch *batch, struct arena *arena)
{
    batch->tokens = arena_alloc_array(arena, batch->len, sizeof *batch->tokens);
    batch->updates = arena_alloc_array(arena, batch->len, sizeof *batch->updates);
    batch->leader = arena_alloc_array(arena, batch->len, sizeof *batch->leader);
    batch->ids = arena_alloc_array(arena, batch->len, sizeof *batch->ids);
    for (size_t i = 0; i < batch->len; i++) {
        if (i > 0 && is_first_of_its_job(batch, i))
            batch->tokens[i] = batch->tokens[0];
        else
            bson_oid_init(&batch->tokens[i], NULL);
        batch->updates[i] = bson_new();
        append_update(&batch->swaps[i], &batch->tokens[i], batch->updates[i]);
    }
    store_group(batch->leader, batch->len, is_one_update, batch);
}

static void batch_at(struct batch *batch)
{
    for (size_t i = 0; i < batch->len; i++)
        bson_destroy(batch->updates[i]);
}

static bool is_token(const bson_iter_t *iter, const bson_oid_t *token)
{
    return BSON_ITER_HOLDS_OID(iter) && bson_oid_equal(bson_iter_oid(iter), token);
}

/* Whether the job, or a line of its log, holds the token. */
static bool holds_token(const bson_t *document, const bson_oid_t *token)
{
    bson_iter_t iter, lines, line;
    if (bson_iter_init_find(&iter, document, TOKEN) && is_token(&iter, token))
        return true;
    if (!bson_iter_init_find(&iter, document, "log") || !bson_iter_recurse(&iter, &lines))
        return false;
    while (bson_iter_next(&lines))
        if (bson_iter_recurse(&lines, &line) && bson_iter_find(&line, TOKEN) &&
            is_token(&line, token))
            return true;
    return false;
}

static int take_swapped(void *arg, const bson_t *document, struct err *err)
{
    (void)err;
    const struct batch *batch = arg;
    bson_iter_t id;
    if (!bson_iter_init_find(&id, document, "_id") || !BSON_ITER_HOLDS_UTF8(&id))
        return 0;
    for (size_t i = 0; i < batch->len; i++)
        if (strcmp(batch->swaps[i].before->id, bson_iter_utf8(&id, NULL)) == 0)
            batch->swaps[i].saved = holds_token(document, &batch->tokens[i]);
    return 0;
}

static int read_swapped(struct store_call *call, struct batch *batch, struct err *err)
{
    CLEANUP(bson_destroy) bson_t filter = BSON_INITIALIZER, fields = BSON_INITIALIZER;
    for (size_t i = 0; i < batch->len; i++)
        batch->ids[i] = batch->swaps[i].before->id;
    store_filter_jobs(&filter, batch->ids, batch->len);
    BSON_APPEND_INT32(&fields, TOKEN, 1);
    BSON_APPEND_INT32(&fields, "log", 1);
    const struct store_read read = {.collection = JOBS,
                                    .filter = &filter,
                                    .projection = &fields,
                                    .limit = batch->len,
                                    .take = take_swapped,
                                    .arg = batch};
    return store_call_read(call, &read, err);
}

static int swap(struct store_call *call, struct batch *batch, struct err *err)
{
    CLEANUP(bson_destroy) bson_t reply = BSON_INITIALIZER;
    const struct store_bulk work = {JOBS, fill_swaps, batch};
    int done = store_call_bulk(call, &work, &reply, err);
    if (done < 0)
        return -1;
    bool all = store_reply_count(&reply, "nMatched") == (int64_t)batch->len;
    for (size_t i = 0; i < batch->len; i++)
        batch->swaps[i].saved = all;
    bool none_of_one = batch->len == 1 && !call->repeated;
    if (!all && !none_of_one && read_swapped(call, batch, err) < 0)
        return -1;
    struct store_write_error refused;
    if (done == 1 && store_write_error(&reply, 0, &refused))
        return err_set(err, ERR_INTERNAL, "store: %s", refused.message);
    return 0;
}

int store_swap(struct store *store, struct store_swap *swaps, size_t len, struct err *err)
{
    CLEANUP(store_call_end) struct store_call call;
    CLEANUP(arena_at) struct arena arena = {0};
    if (store_call_begin(&call, store, err) < 0)
        return -1;
    if (len == 0)
        return 0;
    CLEANUP(batch_at) struct batch batch = {.swaps = swaps, .len = len};
    prepare(&batch, &arena);
    return swap(&call, &batch, err);
}
