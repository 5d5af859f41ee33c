/* The committer between many callers, a store that is slow, away, or loses its answers, and a
 * broker that confirms, refuses or is late: every post that was taken is answered once and truly,
 * also when the committer ends meanwhile. */
#include "gateway/committer.h"

#include "stress.h"

#include <unistd.h>

#include "common/clock.h"
#include "common/id.h"
#include "proto/project.h"
#include "proto/recipe.h"
#include "proto/transition.h"

enum { CALLERS = 6, EACH = 700, POSTS = CALLERS * EACH, KEYS = POSTS / 4, LIMIT = 300, ROUNDS = 3 };
enum { TICKETS = 2 * POSTS };

/* A post and its answer. */
struct post {
    struct commit commit;
    struct job job;
    struct task tasks[RECIPE_TASKS_MAX];
    const char *needs[RECIPE_TASKS_MAX][RECIPE_NEEDS_MAX];
    struct scene scene;
    struct idempotency key;
    char id[ID_ULID_LEN + 1], oid[ID_OID_LEN + 1], key_id[32];
    bool taken;
    atomic_int answers;
    enum error error;
    int answered; /* number of the job that the answer names */
    bool existing, queued;
};
static struct post posts[POSTS];
static struct committer *committer;
static const struct fleet_settings settings = {.quota_project_bytes = 1};

/* The store: what is durable, by number. */
static struct {
    pthread_mutex_t lock;
    bool job[POSTS];
    int scene[POSTS]; /* the number of its job, or -1 */
    int owner[KEYS];  /* of an idempotency key: the number of a job, or -1 */
    char hash[KEYS];
    uint64_t dice;
    int calls, away, lost;
} store = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int number_of(const char *id)
{
    return atoi(id + strlen("01J"));
}

/* --- the store's door --- */

/* Locks; false: no answer will come, as the error says. */
static bool enter(struct err *err)
{
    pthread_mutex_lock(&store.lock);
    store.calls++;
    bool away = stress_chance(&store.dice, 20), slow = stress_chance(&store.dice, 20);
    store.away += away;
    if (away)
        err_set(err, ERR_STORE_UNAVAILABLE, "away");
    pthread_mutex_unlock(&store.lock);
    usleep(slow ? 50000 : 500);
    pthread_mutex_lock(&store.lock);
    return !away;
}

/* Unlocks; -1: what was done is not known. */
static int leave(bool entered, struct err *err)
{
    bool lost = entered && stress_chance(&store.dice, 15);
    store.lost += lost;
    pthread_mutex_unlock(&store.lock);
    return lost ? err_set(err, ERR_STORE_UNAVAILABLE, "lost") : entered ? 0 : -1;
}

int store_insert_many(struct store *unused, const char *collection, const struct doc *doc,
                      const void *records, size_t len, bool *taken, struct err *errs,
                      struct err *err)
{
    const struct idempotency *keys = records;
    (void)unused, (void)collection;
    CHECK(doc == &idempotency_doc);
    bool entered = enter(err);
    for (size_t i = 0; i < len && entered; i++) {
        int key = atoi(keys[i].id);
        errs[i] = (struct err){0};
        taken[i] = store.owner[key] >= 0;
        if (taken[i])
            continue;
        store.owner[key] = number_of(keys[i].job);
        store.hash[key] = keys[i].request_hash[0];
    }
    return leave(entered, err);
}

int store_get(struct store *unused, const char *collection, const struct doc *doc,
              const void *filter, struct arena *arena, void *out, struct err *err)
{
    const struct idempotency *asked = filter;
    (void)unused, (void)collection;
    CHECK(doc == &idempotency_doc);
    bool entered = enter(err);
    if (entered) {
        int key = atoi(asked->id);
        CHECK(store.owner[key] >= 0);
        *(struct idempotency *)out =
            (struct idempotency){.id = arena_strdup(arena, asked->id),
                                 .job = arena_strdup(arena, posts[store.owner[key]].id),
                                 .request_hash = arena_printf(arena, "%c", store.hash[key])};
    }
    return leave(entered, err);
}

/* No project was deleted, none has a quota of its own. */
int store_by_ids(struct store *unused, const char *collection, const struct doc *doc,
                 const char *const *ids, size_t len, struct arena *arena, void **out,
                 size_t *out_len, struct err *err)
{
    (void)unused, (void)collection, (void)ids, (void)len, (void)arena;
    CHECK(doc == &project_doc);
    *out = NULL;
    *out_len = 0;
    return leave(enter(err), err);
}

/* And what is stored is below the quota. */
int store_sum_of(struct store *unused, const char *collection, const struct doc *doc,
                 const struct store_sums *query, struct arena *arena, struct store_sum **out,
                 size_t *len, struct err *err)
{
    (void)unused, (void)collection, (void)query, (void)arena;
    CHECK(doc == &file_path_doc);
    *out = NULL;
    *len = 0;
    return leave(enter(err), err);
}

int store_jobs_by_id(struct store *unused, const char *const *ids, size_t len, struct arena *arena,
                     struct job **out, size_t *out_len, struct err *err)
{
    (void)unused;
    *out = arena_alloc_array(arena, len, sizeof **out);
    *out_len = 0;
    bool entered = enter(err);
    for (size_t i = 0; i < len && entered; i++)
        if (store.job[number_of(ids[i])])
            (*out)[(*out_len)++] = posts[number_of(ids[i])].job;
    return leave(entered, err);
}

int store_insert_jobs(struct store *unused, const struct job *const *jobs, size_t len,
                      struct err *errs, struct err *err)
{
    (void)unused;
    bool entered = enter(err);
    for (size_t i = 0; i < len && entered; i++) {
        errs[i] = (struct err){0};
        store.job[number_of(jobs[i]->id)] = true;
    }
    return leave(entered, err);
}

int store_merge_many(struct store *unused, const char *collection, const struct doc *doc,
                     const struct store_merge *merge, struct err *errs, struct err *err)
{
    const struct scene *scenes = merge->records;
    (void)unused, (void)collection;
    CHECK(doc == &scene_doc);
    bool entered = enter(err);
    for (size_t i = 0; i < merge->len && entered; i++) {
        int job = number_of(scenes[i].job);
        errs[i] = (struct err){0};
        CHECK(store.job[job]); /* never a scene of a job that is not there */
        store.scene[job] = job;
    }
    return leave(entered, err);
}

/* --- the publisher's door, and its thread --- */

struct late {
    void (*done)(void *arg, bool confirmed);
    void *arg;
    int job;
    int64_t due_ms;
};
static struct {
    pthread_mutex_t lock;
    struct late late[TICKETS];
    bool confirmed[POSTS];
    size_t len;
    uint64_t dice;
    bool ends;
    int full, refused;
} broker = {.lock = PTHREAD_MUTEX_INITIALIZER};

int publisher_send(struct publisher *unused, const struct publication *publications, size_t len,
                   struct err *err)
{
    (void)unused;
    pthread_mutex_lock(&broker.lock);
    bool full = stress_chance(&broker.dice, 50);
    broker.full += full;
    for (size_t i = 0; i < len && !full; i++) {
        bool is_late = stress_chance(&broker.dice, 30);
        int64_t ms = is_late ? 2 * COMMIT_CONFIRM_MS : (int64_t)(broker.dice >> 33) % 5;
        CHECK(broker.len < TICKETS);
        broker.late[broker.len++] =
            (struct late){publications[i].done, publications[i].arg, number_of(publications[i].job),
                          clock_mono_ms() + ms};
    }
    pthread_mutex_unlock(&broker.lock);
    return full ? err_set(err, ERR_OVERLOADED, "full") : 0;
}

/* With the lock: takes one that is due, or any when all must go. */
static bool take(struct late *out, bool *confirmed)
{
    int64_t now = clock_mono_ms();
    for (size_t i = 0; i < broker.len; i++) {
        if (broker.late[i].due_ms > now && !broker.ends)
            continue;
        *out = broker.late[i];
        broker.late[i] = broker.late[--broker.len];
        *confirmed = !stress_chance(&broker.dice, 50);
        broker.confirmed[out->job] |= *confirmed;
        broker.refused += !*confirmed;
        return true;
    }
    return false;
}

static void *broker_thread(void *unused)
{
    (void)unused;
    for (bool ends = false; !ends;) {
        struct late late;
        bool confirmed = false;
        pthread_mutex_lock(&broker.lock);
        bool taken = take(&late, &confirmed);
        ends = broker.ends && broker.len == 0;
        pthread_mutex_unlock(&broker.lock);
        if (taken)
            late.done(late.arg, confirmed);
        else
            usleep(500);
    }
    return NULL;
}

/* --- callers --- */

static void on_done(void *arg, const struct commit_result *result)
{
    struct post *post = arg;
    CHECK_INT(atomic_load(&post->answers), 0);
    post->error = result->err.code;
    post->answered = number_of(result->job_id);
    post->existing = result->existing;
    post->queued = result->queued;
    atomic_fetch_add(&post->answers, 1);
}

/* Every second post has a key, which others have, too; some of those ask for something else. */
static void prepare(int number)
{
    struct post *post = &posts[number];
    uint64_t dice = stress_seed((uint64_t)number);
    *post = (struct post){.commit = {.job = &post->job, .done = on_done, .arg = post}};
    snprintf(post->id, sizeof post->id, "01J%023d", number);
    id_oid(post->id, post->oid);
    post->job = (struct job){.id = post->id, .tenant = "t", .owner = "o", .project_id = "p"};
    recipe_plan(recipe_find("hello"), &post->job, post->tasks, post->needs);
    post->job.simple = false; /* as if it stored something */
    post->scene =
        (struct scene){.id = post->oid, .tenant = "t", .project_id = "p", .job = post->id};
    if (stress_chance(&dice, 500)) {
        post->job.scene = post->oid;
        post->commit.scene = &post->scene;
    }
    if (stress_chance(&dice, 500)) {
        snprintf(post->key_id, sizeof post->key_id, "%d", (int)(dice >> 33) % KEYS);
        post->key = (struct idempotency){.id = post->key_id,
                                         .request_hash = stress_chance(&dice, 50) ? "b" : "a"};
        post->commit.idempotency = &post->key;
    }
    job_start(&post->job, clock_now_ms());
}

static void *caller(void *arg)
{
    int first = (int)(uintptr_t)arg;
    uint64_t dice = stress_seed((uint64_t)first);
    for (int i = first; i < POSTS; i += CALLERS * ROUNDS) {
        struct err err = {0};
        posts[i].taken = committer_submit(committer, &posts[i].commit, &err) == 0;
        if (!posts[i].taken) {
            CHECK_INT(err.code, ERR_OVERLOADED);
            usleep(2000);
        }
        if (stress_chance(&dice, 500))
            usleep((unsigned)(dice >> 33) % 6000);
    }
    return NULL;
}

/* --- what must be so --- */

static void check_answer(const struct post *post, int number)
{
    bool hashed = post->error == ERR_IDEMPOTENCY_KEY_REUSE;
    CHECK(post->error == ERR_NONE || post->error == ERR_STORE_UNAVAILABLE ||
          (hashed && post->commit.idempotency));
    if (post->error != ERR_NONE)
        return;
    CHECK(store.job[post->answered]);
    CHECK(!post->commit.scene || store.scene[post->answered] == post->answered);
    if (post->commit.idempotency)
        CHECK_INT(post->answered, store.owner[atoi(post->key_id)]);
    else
        CHECK_INT(post->answered, number);
    CHECK(!post->queued || post->existing || broker.confirmed[post->answered]);
}

static void check_answers(void)
{
    int taken = 0, good = 0, queued = 0, existing = 0, keys = 0;
    for (int i = 0; i < POSTS; i++) {
        CHECK_INT(atomic_load(&posts[i].answers), posts[i].taken);
        if (!posts[i].taken)
            continue;
        check_answer(&posts[i], i);
        taken++;
        good += posts[i].error == ERR_NONE;
        queued += posts[i].queued;
        existing += posts[i].existing;
        keys += posts[i].error == ERR_IDEMPOTENCY_KEY_REUSE;
    }
    printf("# %d taken, %d durable, %d queued, %d existing, %d keys used for something else; %d "
           "calls of "
           "the store, %d away, %d lost\n",
           taken, good, queued, existing, keys, store.calls, store.away, store.lost);
    CHECK(good > POSTS / 20 && queued > 0 && existing > 0 && keys > 0);
    CHECK(store.away > 0 && store.lost > 0 && broker.full > 0 && broker.refused > 0);
}

/* The committer ends while its last posts are on their way; their tickets are answered later. */
static void one_round(int round)
{
    pthread_t callers[CALLERS];
    struct err err = {0};
    CHECK_INT(committer_open(&committer, NULL, NULL, &settings, LIMIT, &err), 0);
    for (int i = 0; i < CALLERS; i++)
        callers[i] = stress_thread(caller, (void *)(uintptr_t)(i + round * CALLERS));
    stress_join(callers, CALLERS);
    committer_free(committer);
}

static void every_post_is_answered_once_and_truly(void)
{
    store.dice = stress_seed(11);
    broker.dice = stress_seed(12);
    memset(store.owner, -1, sizeof store.owner);
    memset(store.scene, -1, sizeof store.scene);
    for (int i = 0; i < POSTS; i++)
        prepare(i);
    pthread_t thread = stress_thread(broker_thread, NULL);
    for (int round = 0; round < ROUNDS; round++)
        one_round(round);
    pthread_mutex_lock(&broker.lock);
    broker.ends = true;
    pthread_mutex_unlock(&broker.lock);
    pthread_join(thread, NULL);
    check_answers();
}

int main(void)
{
    RUN(every_post_is_answered_once_and_truly);
    return 0;
}
