/* What the tests of the store share: a store at MONGODB_URL, and jobs of three tasks to try things
 * on. */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include "check.h"
#include "common/id.h"
#include "common/store.h"
#include "proto/transition.h"

#define NOW INT64_C(1767225600000)
#define LEASE INT64_C(30000)

static inline const char *fixture_url(void)
{
    const char *url = getenv("MONGODB_URL");
    if (!url)
        printf("skip: MONGODB_URL is not set\n");
    return url;
}

static inline struct store *fixture_open(const char *url)
{
    struct store *store = NULL;
    struct err err = {0};
    const struct store_settings settings = {url, 2000, 5000, 16};
    if (store_open(&store, &settings, "store-test", &err) < 0 || store_prepare(store, &err) < 0)
        CHECK_STR(err.detail, "");
    return store;
}

/* An ObjectId that nobody else has. */
static inline void fixture_oid(char out[ID_OID_LEN + 1])
{
    char id[ID_ULID_LEN + 1];
    id_ulid(NOW, id);
    id_oid(id, out);
}

/* A started job of three tasks: a and b can run, c needs both. */
static inline struct job fixture_job(struct arena *arena)
{
    static const char *needs[] = {"a", "b"};
    char id[ID_ULID_LEN + 1];
    id_ulid(NOW, id);
    struct task *tasks = arena_alloc_array(arena, 3, sizeof *tasks);
    for (size_t i = 0; i < 3; i++)
        tasks[i] = (struct task){.name = (const char *[]){"a", "b", "c"}[i],
                                 .kind = KIND_HELLO,
                                 .state = TASK_WAITING,
                                 .weight = 1,
                                 .max_attempts = 3,
                                 .timeout_s = 60};
    tasks[2].needs = (struct strs){needs, 2};
    struct job job = {.id = arena_strdup(arena, id),
                      .tenant = "store-test",
                      .recipe = "test",
                      .tasks = {tasks, 3}};
    job_start(&job, NOW);
    return job;
}

static inline void fixture_insert(struct store *store, const struct job *job)
{
    struct err err = {0}, first = {0};
    CHECK_INT(store_insert_jobs(store, &job, 1, &first, &err), 0);
    CHECK_INT(first.code, ERR_NONE);
}

/* A copy with tasks of its own, to be changed. */
static inline struct job fixture_copy(const struct job *job, struct arena *arena)
{
    struct job copy = *job;
    copy.tasks.at = arena_memdup(arena, job->tasks.at, job->tasks.len * sizeof *job->tasks.at);
    return copy;
}

static inline struct job fixture_read(struct store *store, const char *id, struct arena *arena)
{
    struct job job;
    struct err err = {0};
    CHECK_INT(store_job(store, id, arena, &job, &err), 0);
    return job;
}

static inline void fixture_delete(struct store *store, const char *id)
{
    struct err err = {0};
    CHECK_INT(store_delete_many(store, "jobs", &job_doc, &id, 1, &err), 0);
}

/* What a newer release might write. */
static inline void fixture_make_unreadable(struct store *store, const char *id)
{
    struct newer {
        const char *id, *kind;
    };
    static const struct field fields[] = {
        FIELD(newer, id, .flags = FIELD_ID),
        FIELD_AS(newer, kind, "tasks.2.kind", .text = "A kind that we do not know."),
    };
    static const struct doc doc = DOC(newer, fields);
    const struct newer filter = {.id = id}, set = {.kind = "hologram"};
    struct err err = {0};
    CHECK_INT(store_update(store, "jobs", &doc, &filter, &set, NULL, false, &err), 0);
}

static inline struct store_claim fixture_claim(struct store *store, const char *job, size_t task,
                                               const char *worker, struct arena *arena)
{
    struct err err = {0};
    struct store_claim one = {.job = job, .task = task};
    CHECK_INT(store_claim(store, &one, 1, worker, NOW, LEASE, arena, &err), 0);
    return one;
}

static inline bool fixture_swap(struct store *store, const struct job *before,
                                const struct job *after)
{
    struct err err = {0};
    struct store_swap one = {before, after, false};
    CHECK_INT(store_swap(store, &one, 1, &err), 0);
    return one.saved;
}

#endif
