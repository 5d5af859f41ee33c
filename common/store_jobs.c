/* Jobs as whole documents: inserting them, reading them by id, by list. */
#include "common/store.h"

#include "common/doc_bson.h"
#include "common/store_bulk.h"
#include "common/store_read.h"

struct insert {
    const struct job *const *jobs;
    size_t len;
};

/* A new job's log begins with its submission. */
static void append_first_line(bson_t *document, const struct log_line *line)
{
    bson_t log, first;
    BSON_APPEND_ARRAY_BEGIN(document, "log", &log);
    BSON_APPEND_DOCUMENT_BEGIN(&log, "0", &first);
    doc_bson_encode(&log_line_doc, line, &first);
    bson_append_document_end(&log, &first);
    bson_append_array_end(document, &log);
}

static bool fill_inserts(mongoc_bulk_operation_t *bulk, void *arg, bson_error_t *error)
{
    const struct insert *insert = arg;
    CLEANUP(bson_destroy) bson_t opts = BSON_INITIALIZER;
    store_unchecked(&opts, false);
    for (size_t i = 0; i < insert->len; i++) {
        const struct job *job = insert->jobs[i];
        CLEANUP(bson_destroy) bson_t document = BSON_INITIALIZER;
        doc_bson_encode(&job_doc, job, &document);
        if (!job->log.len && job->event.event)
            append_first_line(&document, &job->event);
        if (!mongoc_bulk_operation_insert_with_opts(bulk, &document, &opts, error))
            return false;
    }
    return true;
}

static void clear_errs(struct err *errs, size_t len)
{
    for (size_t i = 0; i < len; i++)
        errs[i] = (struct err){0};
}

int store_insert_jobs(struct store *store, const struct job *const *jobs, size_t len,
                      struct err *errs, struct err *err)
{
    CLEANUP(store_call_end) struct store_call call;
    CLEANUP(bson_destroy) bson_t reply = BSON_INITIALIZER;
    struct insert insert = {jobs, len};
    const struct store_bulk work = {JOBS, fill_inserts, &insert};
    if (store_call_begin(&call, store, err) < 0)
        return -1;
    if (len == 0)
        return 0;
    if (store_call_bulk(&call, &work, &reply, err) < 0)
        return -1;
    clear_errs(errs, len);
    struct store_write_error refused;
    for (size_t n = 0; store_write_error(&reply, n, &refused); n++)
        if (refused.code != STORE_DUPLICATE_KEY && refused.index < len)
            err_set(&errs[refused.index], ERR_INTERNAL, "store: %s", refused.message);
    return 0;
}

static int read_jobs(struct store *store, const struct store_read *read, struct err *err)
{
    CLEANUP(store_call_end) struct store_call call;
    if (store_call_begin(&call, store, err) < 0)
        return -1;
    return store_call_read(&call, read, err);
}

int store_jobs_by_id(struct store *store, const char *const *ids, size_t len, struct arena *arena,
                     struct job **out, size_t *out_len, struct err *err)
{
    CLEANUP(bson_destroy) bson_t filter = BSON_INITIALIZER;
    struct store_list list = {.doc = &job_doc, .arena = arena};
    const struct store_read read = {
        .collection = JOBS, .filter = &filter, .limit = len, .take = store_list_take, .arg = &list};
    store_filter_ids(&filter, doc_field(&job_doc, "id"), ids, len);
    if (len && read_jobs(store, &read, err) < 0)
        return -1;
    *out = (struct job *)(void *)list.at;
    *out_len = list.len;
    return 0;
}

int store_job(struct store *store, const char *id, struct arena *arena, struct job *out,
              struct err *err)
{
    CLEANUP(bson_destroy) bson_t filter = BSON_INITIALIZER;
    struct store_list list = {.doc = &job_doc, .arena = arena};
    const struct store_read read = {
        .collection = JOBS, .filter = &filter, .limit = 1, .take = store_list_take, .arg = &list};
    BSON_APPEND_UTF8(&filter, "_id", id);
    if (read_jobs(store, &read, err) < 0)
        return -1;
    if (!list.len)
        return err_set(err, ERR_JOB_NOT_FOUND, "there is no job '%s'", id);
    memcpy(out, list.at, sizeof *out);
    return 0;
}

/* The query as a filter: what it leaves out does not filter. */
static void query_filter(const struct job_query *query, bson_t *filter)
{
    const struct job wanted = {.tenant = query->tenant,
                               .project_id = query->project_id,
                               .recipe = query->recipe,
                               .state = query->state};
    static const char *const names[] = {"tenant", "state", "project_id", "recipe"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        doc_bson_append(doc_field(&job_doc, names[i]), &wanted, names[i], filter);
    if (!query->before_id)
        return;
    bson_t before;
    BSON_APPEND_DOCUMENT_BEGIN(filter, "_id", &before);
    BSON_APPEND_UTF8(&before, "$lt", query->before_id);
    bson_append_document_end(filter, &before);
}

int store_list_jobs(struct store *store, const struct job_query *query, struct arena *arena,
                    struct job **out, size_t *len, struct err *err)
{
    CLEANUP(bson_destroy) bson_t filter = BSON_INITIALIZER, sort = BSON_INITIALIZER;
    struct store_list list = {.doc = &job_doc, .arena = arena};
    const struct store_read read = {.collection = JOBS,
                                    .filter = &filter,
                                    .sort = &sort,
                                    .limit = query->limit,
                                    .take = store_list_take,
                                    .arg = &list};
    query_filter(query, &filter);
    BSON_APPEND_INT32(&sort, "_id", -1);
    if (read_jobs(store, &read, err) < 0)
        return -1;
    *out = (struct job *)(void *)list.at;
    *len = list.len;
    return 0;
}
