/* Jobs by their alarm: those that are due, and those that wait for long. */
#include "common/store_read.h"

/* One job that cannot be read must not keep the reconciler from all others. */
struct due {
    struct store_list list;
    bool unreadable;
    struct err first;
};

static int take_due(void *arg, const bson_t *document, struct err *err)
{
    struct due *due = arg;
    if (store_list_take(&due->list, document, err) < 0 && !due->unreadable) {
        due->unreadable = true;
        due->first = *err;
    }
    return 0;
}

static int read_by_alarm(struct store *store, const bson_t *filter, size_t limit,
                         struct arena *arena, struct job **out, size_t *len, struct err *err)
{
    CLEANUP(store_call_end) struct store_call call;
    CLEANUP(bson_destroy) bson_t sort = BSON_INITIALIZER;
    struct due due = {.list = {.doc = &job_doc, .arena = arena}};
    struct store_read read = {.collection = JOBS,
                              .filter = filter,
                              .sort = &sort,
                              .limit = limit,
                              .take = take_due,
                              .arg = &due};
    BSON_APPEND_INT32(&sort, "alarm_at", 1);
    if (store_call_begin(&call, store, err) < 0 || store_call_read(&call, &read, err) < 0)
        return -1;
    if (due.unreadable && !due.list.len) {
        *err = due.first;
        return -1;
    }
    *out = (struct job *)(void *)due.list.at;
    *len = due.list.len;
    return 0;
}

static void bound_date(bson_t *filter, const char *name, const char *operator, int64_t ms)
{
    bson_t bound;
    BSON_APPEND_DOCUMENT_BEGIN(filter, name, &bound);
    BSON_APPEND_DATE_TIME(&bound, operator, ms);
    bson_append_document_end(filter, &bound);
}

int store_due(struct store *store, int64_t now, size_t limit, struct arena *arena, struct job **out,
              size_t *len, struct err *err)
{
    CLEANUP(bson_destroy) bson_t filter = BSON_INITIALIZER;
    bound_date(&filter, "alarm_at", "$lte", now);
    return read_by_alarm(store, &filter, limit, arena, out, len, err);
}

/* Live jobs are those with an alarm, which has an index. */
static void waiting_filter(enum kind kind, int64_t due, int64_t from, bson_t *filter)
{
    bson_t tasks, match;
    bound_date(filter, "alarm_at", "$gte", from);
    BSON_APPEND_DOCUMENT_BEGIN(filter, "tasks", &tasks);
    BSON_APPEND_DOCUMENT_BEGIN(&tasks, "$elemMatch", &match);
    BSON_APPEND_UTF8(&match, "kind", kinds[kind].name);
    BSON_APPEND_UTF8(&match, "state", task_state_names[TASK_QUEUED]);
    bound_date(&match, "due_at", "$lte", due);
    bson_append_document_end(&tasks, &match);
    bson_append_document_end(filter, &tasks);
}

int store_count_waiting(struct store *store, enum kind kind, int64_t due, int64_t *out,
                        struct err *err)
{
    CLEANUP(store_call_end) struct store_call call;
    CLEANUP(bson_destroy) bson_t filter = BSON_INITIALIZER;
    bson_error_t error;
    if (store_call_begin(&call, store, err) < 0)
        return -1;
    CLEANUP(collection_at) mongoc_collection_t *jobs = store_call_collection(&call, JOBS);
    waiting_filter(kind, due, 1, &filter);
    *out = mongoc_collection_count_documents(jobs, &filter, NULL, NULL, NULL, &error);
    return *out < 0 ? store_call_fail(&call, &error, err) : 0;
}

int store_waiting(struct store *store, const struct store_waiting *query, struct arena *arena,
                  struct job **out, size_t *len, struct err *err)
{
    CLEANUP(bson_destroy) bson_t filter = BSON_INITIALIZER;
    bson_t nudges;
    waiting_filter(query->kind, query->due, query->from, &filter);
    if (query->nudges > 0) { /* a number that is 0 is left out of the document */
        BSON_APPEND_DOCUMENT_BEGIN(&filter, "nudges", &nudges);
        BSON_APPEND_INT64(&nudges, "$gte", query->nudges);
        bson_append_document_end(&filter, &nudges);
    }
    return read_by_alarm(store, &filter, query->limit, arena, out, len, err);
}
