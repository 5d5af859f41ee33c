/* The committer leaves out what nobody waits for any more: the store is not even asked. */
#include "gateway/committer.h"

#include <signal.h>
#include <stdatomic.h>

#include "check.h"
#include "common/clock.h"
#include "proto/recipe.h"
#include "proto/transition.h"

static const struct fleet_settings no_quotas;
static struct store *store;
static struct committer *committer;

struct post {
    struct commit commit;
    struct job job;
    struct task tasks[RECIPE_TASKS_MAX];
    const char *needs[RECIPE_TASKS_MAX][RECIPE_NEEDS_MAX];
    enum error error;
    atomic_bool done;
};

static void on_done(void *arg, const struct commit_result *result)
{
    struct post *post = arg;
    CHECK_STR(result->job_id, post->job.id);
    post->error = result->err.code;
    atomic_store(&post->done, true);
}

static void post_and_wait(struct post *post, int64_t late_ms)
{
    struct err err = {0};
    *post = (struct post){.job = {.id = "01ARZ3NDEKTSV4RRFFQ69G5FAV", .tenant = "t"}};
    post->commit =
        (struct commit){.job = &post->job, .done = on_done, .arg = post, .late_ms = late_ms};
    recipe_plan(recipe_find("hello"), &post->job, post->tasks, post->needs);
    job_start(&post->job, clock_now_ms());
    CHECK_INT(committer_submit(committer, &post->commit, &err), 0);
    while (!atomic_load(&post->done))
        clock_sleep_ms(1);
    CHECK_INT(post->error, ERR_STORE_UNAVAILABLE);
}

int main(void)
{
    struct err err = {0};
    struct publisher *publisher;
    static struct post post;
    const struct store_settings settings = {.url = "mongodb://127.0.0.1:1/x",
                                            .server_timeout_ms = 300,
                                            .socket_timeout_ms = 300,
                                            .pool_size = 4};
    signal(SIGPIPE, SIG_IGN);
    CHECK_INT(store_open(&store, &settings, "committer-late-test", &err), 0);
    CHECK_INT(publisher_open(&publisher, "amqp://127.0.0.1:1", "committer-late-test", &err), 0);
    CHECK_INT(committer_open(&committer, store, publisher, &no_quotas, 10, &err), 0);
    post_and_wait(&post, clock_mono_ms());
    CHECK(!store_away(store)); /* as far as anybody has asked */
    post_and_wait(&post, clock_mono_ms() + 60000);
    CHECK(store_away(store));
    while (committer_sizes(committer).posts == 0)
        clock_sleep_ms(1);
    CHECK_INT(committer_sizes(committer).batches[0], 1); /* what was left out is none */
    committer_free(committer);
    publisher_free(publisher, 0);
    store_free(store);
    return 0;
}
