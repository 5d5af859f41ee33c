/* The committer: what it answers without services, and with them (MONGODB_URL, AMQP_URL) that
 * everything answered is in the store, once, in spite of retries. */
#include "gateway/committer.h"

#include <signal.h>
#include <unistd.h>

#include "amqp_test.h"
#include "common/id.h"
#include "proto/recipe.h"
#include "proto/transition.h"

enum { MANY = 5000, THREADS = 2 };
#define NOWHERE "amqp://127.0.0.1:1"

struct post { /* and its answer */
    struct commit commit;
    struct job job;
    struct task tasks[RECIPE_TASKS_MAX];
    const char *needs[RECIPE_TASKS_MAX][RECIPE_NEEDS_MAX];
    struct scene scene;
    struct idempotency key;
    char id[ID_ULID_LEN + 1], oid[ID_OID_LEN + 1], answered_id[ID_ULID_LEN + 1];
    char answered_scene[ID_OID_LEN + 1];
    struct commit_result result;
    atomic_bool done;
};

static const struct fleet_settings no_quotas;
static struct store *store;
static struct publisher *publisher;
static struct committer *committer;
static struct post posts[THREADS][MANY];
static char tenant[40]; /* of this run */

static void on_done(void *arg, const struct commit_result *result)
{
    struct post *post = arg;
    CHECK(!atomic_load(&post->done));
    post->result = *result;
    snprintf(post->answered_id, sizeof post->answered_id, "%s", result->job_id);
    snprintf(post->answered_scene, sizeof post->answered_scene, "%s",
             result->scene ? result->scene : "");
    atomic_store(&post->done, true);
}

static void prepare(struct post *post, bool with_scene)
{
    int64_t now = clock_now_ms();
    *post = (struct post){.commit = {.job = &post->job, .done = on_done, .arg = post}};
    id_ulid(now, post->id);
    id_oid(post->id, post->oid);
    post->job = (struct job){.id = post->id, .tenant = tenant, .owner = "test", .project_id = "p"};
    recipe_plan(recipe_find("hello"), &post->job, post->tasks, post->needs);
    post->scene = (struct scene){.id = post->oid,
                                 .tenant = tenant,
                                 .project_id = "p",
                                 .url = "http://x/",
                                 .job = post->id,
                                 .status = SCENE_PROCESSING};
    if (with_scene) {
        post->job.scene = post->oid;
        post->commit.scene = &post->scene;
    }
    job_start(&post->job, now);
}

static void submit(struct post *post)
{
    struct err err = {0};
    CHECK(committer_submit(committer, &post->commit, &err) == 0);
}

static void commit_one(struct post *post)
{
    submit(post);
    AWAIT(atomic_load(&post->done));
}

static void open_all(const char *amqp_url, const char *mongodb_url, size_t limit)
{
    struct err err = {0};
    const struct store_settings settings = {
        .url = mongodb_url, .server_timeout_ms = 300, .socket_timeout_ms = 5000, .pool_size = 8};
    CHECK(store_open(&store, &settings, "committer-test", &err) == 0);
    CHECK(publisher_open(&publisher, amqp_url, "committer-test", &err) == 0);
    CHECK(committer_open(&committer, store, publisher, &no_quotas, limit, &err) == 0);
}

static void close_all(void)
{
    committer_free(committer);
    publisher_free(publisher, 1000);
    store_free(store);
}

static void without_a_store_all_are_refused(void)
{
    open_all(NOWHERE, "mongodb://127.0.0.1:1/x", 1000);
    for (int i = 0; i < 600; i++) {
        prepare(&posts[0][i], true);
        submit(&posts[0][i]);
    }
    for (int i = 0; i < 600; i++) {
        AWAIT(atomic_load(&posts[0][i].done));
        CHECK_INT(posts[0][i].result.err.code, ERR_STORE_UNAVAILABLE);
        CHECK_STR(posts[0][i].answered_id, posts[0][i].id);
    }
    close_all();
}

static void beyond_the_limit_is_overload(void)
{
    struct err err = {0};
    open_all(NOWHERE, "mongodb://127.0.0.1:1/x", 2);
    for (int i = 0; i < 3; i++)
        prepare(&posts[0][i], false);
    submit(&posts[0][0]);
    submit(&posts[0][1]);
    CHECK(committer_submit(committer, &posts[0][2].commit, &err) == -1);
    CHECK_INT(err.code, ERR_OVERLOADED);
    close_all(); /* answers what was taken */
    CHECK(atomic_load(&posts[0][0].done) && atomic_load(&posts[0][1].done));
    CHECK(!atomic_load(&posts[0][2].done));
}

static void without_a_broker_it_is_durable_but_not_queued(void)
{
    struct arena arena = {0};
    struct err err = {0};
    struct job job;
    open_all(NOWHERE, getenv("MONGODB_URL"), 1000);
    prepare(&posts[0][0], true);
    commit_one(&posts[0][0]);
    CHECK_INT(posts[0][0].result.err.code, ERR_NONE);
    CHECK(!posts[0][0].result.queued && !posts[0][0].result.existing);
    CHECK(store_job(store, posts[0][0].id, &arena, &job, &err) == 0);
    CHECK(job.alarm_at > 0);
    close_all();
    arena_release(&arena);
}

static void *submit_many(void *arg)
{
    struct post *mine = arg;
    for (int i = 0; i < MANY; i++)
        submit(&mine[i]);
    return NULL;
}

static void all_are_durable_and_queued(void)
{
    pthread_t threads[THREADS];
    struct arena arena = {0};
    struct err err = {0};
    struct queue_depth depth;
    int queued = 0;
    for (int t = 0; t < THREADS; t++)
        for (int i = 0; i < MANY; i++)
            prepare(&posts[t][i], true);
    for (int t = 0; t < THREADS; t++)
        CHECK(pthread_create(&threads[t], NULL, submit_many, posts[t]) == 0);
    for (int t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
    for (int t = 0; t < THREADS; t++)
        for (int i = 0; i < MANY; i++)
            AWAIT(atomic_load(&posts[t][i].done));
    for (int i = 0; i < MANY; i++) {
        CHECK_INT(posts[0][i].result.err.code, ERR_NONE);
        queued += posts[0][i].result.queued;
        CHECK_STR(posts[0][i].answered_scene, posts[0][i].oid);
    }
    for (int i = 0; i < MANY; i += 500) {
        struct job job;
        struct scene scene, filter = {.id = posts[1][i].oid};
        CHECK(store_job(store, posts[1][i].id, &arena, &job, &err) == 0);
        CHECK_INT(job.tasks.len, 1);
        CHECK(store_get(store, SCENE_COLLECTION, &scene_doc, &filter, &arena, &scene, &err) == 0);
        CHECK_STR(scene.job, posts[1][i].id);
    }
    CHECK(queued > 0); /* a slow machine's broker does not confirm all of them in time */
    AWAIT(publisher_depth(publisher, KIND_HELLO, &depth, &err) == 0 &&
          depth.ready >= THREADS * MANY);
    arena_release(&arena);
}

static void set_key(struct post *post, const char *key, const char *request_hash)
{
    post->key = (struct idempotency){.id = key, .request_hash = request_hash};
    post->commit.idempotency = &post->key;
}

static void a_retry_gets_the_first_job(void)
{
    char key[33];
    struct post *first = &posts[0][0], *second = &posts[0][1], *other = &posts[0][2];
    id_hex(key, 32);
    for (int i = 0; i < 3; i++) {
        prepare(&posts[0][i], true);
        set_key(&posts[0][i], key, i == 2 ? "another" : "request");
    }
    commit_one(first);
    commit_one(second);
    commit_one(other);
    CHECK_INT(first->result.err.code, ERR_NONE);
    CHECK(!first->result.existing && first->result.queued);
    CHECK_INT(second->result.err.code, ERR_NONE);
    CHECK(second->result.existing);
    CHECK_STR(second->answered_id, first->id);
    CHECK_STR(second->answered_scene, first->oid);
    CHECK_INT(other->result.err.code, ERR_IDEMPOTENCY_KEY_REUSE);
}

static void retries_in_one_batch_make_one_job(void)
{
    char key[33];
    id_hex(key, 32);
    for (int i = 0; i < 20; i++) {
        prepare(&posts[0][i], false);
        set_key(&posts[0][i], key, "request");
    }
    for (int i = 0; i < 20; i++)
        submit(&posts[0][i]);
    for (int i = 0; i < 20; i++) {
        AWAIT(atomic_load(&posts[0][i].done));
        CHECK_INT(posts[0][i].result.err.code, ERR_NONE);
        CHECK_STR(posts[0][i].answered_id, posts[0][0].id);
    }
}

/* The gateway died between the record and the job: the id in the record is the job's. */
static void a_record_without_its_job_is_made_true(void)
{
    char key[33], recorded[ID_ULID_LEN + 1];
    struct arena arena = {0};
    struct err err = {0};
    struct job job;
    struct post *post = &posts[0][0];
    id_hex(key, 32);
    id_ulid(clock_now_ms(), recorded);
    const struct idempotency record = {key, recorded, "request", clock_now_ms()};
    CHECK(store_insert(store, IDEMPOTENCY_COLLECTION, &idempotency_doc, &record, &err) == 0);
    prepare(post, true);
    set_key(post, key, "request");
    commit_one(post);
    CHECK_INT(post->result.err.code, ERR_NONE);
    CHECK(!post->result.existing && post->result.queued);
    CHECK_STR(post->answered_id, recorded);
    CHECK(store_job(store, recorded, &arena, &job, &err) == 0);
    CHECK(store_job(store, post->id, &arena, &job, &err) == -1);
    char oid[ID_OID_LEN + 1]; /* the record that the first try would have made */
    id_oid(recorded, oid);
    CHECK_STR(post->answered_scene, oid);
    struct scene scene, filter = {.id = oid};
    CHECK(store_get(store, SCENE_COLLECTION, &scene_doc, &filter, &arena, &scene, &err) == 0);
    CHECK_STR(scene.job, recorded);
    arena_release(&arena);
}

/* The post's job is in the store already, its record is `owner`'s. */
static void keep(const struct post *post, const char *owner)
{
    struct err err = {0}, first = {0};
    const struct job *job = &post->job;
    struct scene scene = post->scene;
    scene.job = owner;
    scene.status = SCENE_FAILED;
    scene.error_message = "told";
    CHECK(store_insert(store, SCENE_COLLECTION, &scene_doc, &scene, &err) == 0);
    CHECK(store_insert_jobs(store, &job, 1, &first, &err) == 0 && first.code == ERR_NONE);
}

static struct scene scene_of(const struct post *post, struct arena *arena)
{
    struct scene scene = {0};
    const struct scene filter = {.id = post->oid};
    struct err err = {0};
    CHECK(store_get(store, SCENE_COLLECTION, &scene_doc, &filter, arena, &scene, &err) == 0);
    return scene;
}

/* The gateway died between the job and its scene, which is an older job's until then. */
static void a_job_without_its_scene_gets_it(void)
{
    char key[33];
    struct arena arena = {0};
    struct err err = {0};
    struct post *post = &posts[0][0], *again = &posts[0][1];
    id_hex(key, 32);
    prepare(post, true);
    prepare(again, true);
    memcpy(again->oid, post->oid, sizeof again->oid); /* named by the request */
    const struct idempotency record = {key, post->id, "request", clock_now_ms()};
    CHECK(store_insert(store, IDEMPOTENCY_COLLECTION, &idempotency_doc, &record, &err) == 0);
    keep(post, "00000000000000000000000000");
    set_key(again, key, "request");
    commit_one(again);
    CHECK_INT(again->result.err.code, ERR_NONE);
    CHECK(again->result.existing);
    CHECK_STR(scene_of(post, &arena).job, post->id);
    CHECK_INT(scene_of(post, &arena).status, SCENE_PROCESSING);
    CHECK(!scene_of(post, &arena).error_message);
    arena_release(&arena);
}

/* Of this job, which another gateway was asked for while this one was held up; or of a later one.
 */
static void what_is_newer_stays(void)
{
    struct arena arena = {0};
    for (int i = 0; i < 2; i++) {
        struct post *post = &posts[0][i];
        prepare(post, true);
        keep(post, i == 0 ? post->id : "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
        commit_one(post);
        CHECK_INT(post->result.err.code, ERR_NONE);
        CHECK_INT(scene_of(post, &arena).status, SCENE_FAILED);
        CHECK_STR(scene_of(post, &arena).error_message, "told");
    }
    arena_release(&arena);
}

static void a_scene_keeps_what_is_not_written(void)
{
    struct arena arena = {0};
    struct err err = {0};
    struct scene scene;
    struct post *post = &posts[0][0];
    prepare(post, true);
    const struct scene before = {.id = post->oid,
                                 .tenant = tenant,
                                 .project_id = "p",
                                 .status = SCENE_FAILED,
                                 .error_message = "old",
                                 .width = 640,
                                 .created_at = 1000};
    CHECK(store_insert(store, SCENE_COLLECTION, &scene_doc, &before, &err) == 0);
    commit_one(post);
    const struct scene filter = {.id = post->oid};
    CHECK(store_get(store, SCENE_COLLECTION, &scene_doc, &filter, &arena, &scene, &err) == 0);
    CHECK_INT(scene.status, SCENE_PROCESSING);
    CHECK_STR(scene.job, post->id);
    CHECK_INT(scene.width, 640);
    CHECK_INT(scene.created_at, 1000);
    CHECK(!scene.error_message);
    arena_release(&arena);
}

/* Answers come in time, and the tickets' late answers find no freed memory. */
static void a_silent_broker_delays_nobody(void)
{
    char url[512];
    struct tcp_proxy proxy;
    proxy_start(&proxy, amqp_port());
    open_all(amqp_url_through(proxy.port, url, sizeof url), getenv("MONGODB_URL"), 1000);
    AWAIT(publisher_connected(publisher));
    atomic_store(&proxy.mode, PROXY_FREEZE);
    for (int i = 0; i < 100; i++) {
        prepare(&posts[0][i], false);
        submit(&posts[0][i]);
    }
    for (int i = 0; i < 100; i++) {
        AWAIT(atomic_load(&posts[0][i].done));
        CHECK_INT(posts[0][i].result.err.code, ERR_NONE);
        CHECK(!posts[0][i].result.queued);
    }
    close_all();
    proxy_stop(&proxy);
}

static void run_with_services(void)
{
    RUN(without_a_broker_it_is_durable_but_not_queued);
    RUN(a_silent_broker_delays_nobody);
    amqp_queue_verb("mediafleet.hello", QUEUE_PURGE);
    open_all(getenv("AMQP_URL"), getenv("MONGODB_URL"), 100000);
    AWAIT(publisher_connected(publisher));
    RUN(all_are_durable_and_queued);
    RUN(a_retry_gets_the_first_job);
    RUN(retries_in_one_batch_make_one_job);
    RUN(a_record_without_its_job_is_made_true);
    RUN(a_job_without_its_scene_gets_it);
    RUN(what_is_newer_stays);
    RUN(a_scene_keeps_what_is_not_written);
    close_all();
    amqp_queue_verb("mediafleet.hello", QUEUE_PURGE);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    snprintf(tenant, sizeof tenant, "committer-%d", (int)getpid());
    RUN(without_a_store_all_are_refused);
    RUN(beyond_the_limit_is_overload);
    if (getenv("AMQP_URL") && getenv("MONGODB_URL"))
        run_with_services();
    else
        printf("skip: AMQP_URL or MONGODB_URL is not set\n");
    return 0;
}
