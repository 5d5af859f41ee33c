/* Connections that break around a write: the store's answers stay true. Skipped without
 * MONGODB_URL. */
#include "common/store.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/store_records.h"
#include "proto/scene.h"
#include "store_fixture.h"

/* A proxy in front of the store that breaks the connection over the next commands of one name. */
enum cut { CUT_REQUEST, CUT_ANSWER }; /* the server never sees it, or does and its answer is lost */
static struct {
    struct sockaddr_in store;
    int listener;
    _Atomic(const char *) command;
    atomic_int cuts;
    _Atomic(enum cut) how;
} proxy;

static bool is_cut(const char *bytes, size_t len)
{
    const char *command = proxy.command;
    if (!command || !memmem(bytes, len, command, strlen(command)))
        return false;
    int left = proxy.cuts;
    while (left > 0 && !atomic_compare_exchange_weak(&proxy.cuts, &left, left - 1))
        ;
    return left > 0;
}

/* One direction's bytes that wait; false when the connection is to end. */
static bool forward(int from, int to, bool request)
{
    char bytes[65536];
    ssize_t len = read(from, bytes, sizeof bytes);
    if (len <= 0)
        return false;
    bool cut = request && is_cut(bytes, (size_t)len);
    if (cut && proxy.how == CUT_REQUEST)
        return false;
    if (send(to, bytes, (size_t)len, MSG_NOSIGNAL) != len)
        return false;
    if (cut) /* the answer comes, and is dropped */
        CHECK(read(to, bytes, sizeof bytes) > 0);
    return !cut;
}

static void *carry(void *arg)
{
    int client = (int)(intptr_t)arg, server = socket(AF_INET, SOCK_STREAM, 0);
    struct pollfd ends[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    bool open = connect(server, (struct sockaddr *)&proxy.store, sizeof proxy.store) == 0;
    while (open && poll(ends, 2, -1) > 0) {
        if (ends[0].revents)
            open = forward(client, server, true);
        if (open && ends[1].revents)
            open = forward(server, client, false);
    }
    close(client);
    close(server);
    return NULL;
}

static void *serve(void *arg)
{
    (void)arg;
    for (int client; (client = accept(proxy.listener, NULL, NULL)) >= 0;) {
        pthread_t thread;
        CHECK_INT(pthread_create(&thread, NULL, carry, (void *)(intptr_t)client), 0);
        pthread_detach(thread);
    }
    return NULL;
}

/* Starts the proxy; the URL that leads through it, NULL if that one cannot be proxied. */
static const char *proxy_url(const char *url)
{
    static char through[512];
    char host[64], rest[256] = "";
    in_port_t port;
    if (sscanf(url, "mongodb://%63[0-9.]:%hu%255s", host, &port, rest) < 2)
        return NULL;
    proxy.store = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    CHECK_INT(inet_pton(AF_INET, host, &proxy.store.sin_addr), 1);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof here;
    proxy.listener = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_INT(bind(proxy.listener, (struct sockaddr *)&here, len), 0);
    CHECK_INT(listen(proxy.listener, 16), 0);
    CHECK_INT(getsockname(proxy.listener, (struct sockaddr *)&here, &len), 0);
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, serve, NULL), 0);
    pthread_detach(thread);
    snprintf(through, sizeof through, "mongodb://127.0.0.1:%d%s%cdirectConnection=true",
             ntohs(here.sin_port), rest, strchr(rest, '?') ? '&' : '?');
    return through;
}

static struct store *store;
static struct arena arena;
static struct err err;

static void cut(const char *command, enum cut how, int times)
{
    proxy.how = how;
    proxy.cuts = times;
    proxy.command = command;
}

static struct job inserted(void)
{
    struct job job = fixture_job(&arena);
    fixture_insert(store, &job);
    return job;
}

static void test_insert(void)
{
    for (enum cut how = CUT_REQUEST; how <= CUT_ANSWER; how++) {
        struct job job = fixture_job(&arena);
        cut("insert", how, 1);
        fixture_insert(store, &job);
        CHECK_INT(proxy.cuts, 0);
        CHECK_STR(fixture_read(store, job.id, &arena).id, job.id);
        fixture_delete(store, job.id);
    }
}

static void test_claim(void)
{
    for (enum cut how = CUT_REQUEST; how <= CUT_ANSWER; how++) {
        struct job job = inserted();
        struct store_claim one = {.job = job.id};
        cut("findAndModify", how, 1);
        CHECK_INT(store_claim(store, &one, 1, "w1", NOW, LEASE, &arena, &err), 0);
        CHECK_INT(proxy.cuts, 0);
        CHECK(one.claimed);
        CHECK_INT(one.found.rev, 1);
        CHECK_INT(one.found.tasks.at[0].run, 1);
        /* The same worker's claim of what it has already is not won, cut or not. */
        cut("findAndModify", how, 1);
        CHECK_INT(store_claim(store, &one, 1, "w1", NOW, LEASE, &arena, &err), 0);
        CHECK(!one.claimed);
        fixture_delete(store, job.id);
    }
}

static void test_claim_batch(void)
{
    for (enum cut how = CUT_REQUEST; how <= CUT_ANSWER; how++) {
        struct job job = inserted();
        struct store_claim claims[3] = {{.job = job.id}, {.job = job.id, .task = 1}};
        claims[2] = (struct store_claim){.job = job.id, .task = 2};
        cut("update", how, 1);
        CHECK_INT(store_claim(store, claims, 3, "w1", NOW, LEASE, &arena, &err), 0);
        CHECK_INT(proxy.cuts, 0);
        CHECK(claims[0].claimed && claims[1].claimed && !claims[2].claimed);
        CHECK_INT(claims[0].found.rev, 2);
        fixture_delete(store, job.id);
    }
}

static void test_swap(void)
{
    for (enum cut how = CUT_REQUEST; how <= CUT_ANSWER; how++) {
        struct job job = inserted(), stopped = fixture_copy(&job, &arena);
        CHECK(job_stop(&stopped, ERR_CANCELLED, "me", NOW));
        struct store_swap one = {.before = &job, .after = &stopped};
        cut("update", how, 1);
        CHECK_INT(store_swap(store, &one, 1, &err), 0);
        CHECK_INT(proxy.cuts, 0);
        CHECK(one.saved);
        struct job read = fixture_read(store, job.id, &arena), nudged = fixture_copy(&read, &arena);
        CHECK_INT(read.rev, 1);
        CHECK_INT(read.log.len, 2);
        cut("update", how, 1); /* the revision is old: lost, and told so */
        CHECK_INT(store_swap(store, &one, 1, &err), 0);
        CHECK(!one.saved);
        job_nudge(&nudged, NOW); /* leaves no line in the log */
        one = (struct store_swap){.before = &read, .after = &nudged};
        cut("update", how, 1);
        CHECK_INT(store_swap(store, &one, 1, &err), 0);
        CHECK(one.saved);
        CHECK_INT(fixture_read(store, job.id, &arena).rev, 2);
        fixture_delete(store, job.id);
    }
}

static void test_records(void)
{
    char id[ID_OID_LEN + 1];
    fixture_oid(id);
    struct scene scene = {.id = id, .tenant = "store-test", .status = SCENE_PROCESSING};
    cut("insert", CUT_ANSWER, 1);
    CHECK_INT(store_insert(store, SCENE_COLLECTION, &scene_doc, &scene, &err), 0);
    scene.tenant = "other";
    cut("insert", CUT_ANSWER, 1);
    CHECK_INT(store_insert(store, SCENE_COLLECTION, &scene_doc, &scene, &err), 1);
    /* The filter does not match any more once the update has happened. */
    const struct scene filter = {.id = id, .status = SCENE_PROCESSING};
    const struct scene set = {.status = SCENE_COMPLETED, .width = 640};
    cut("update", CUT_ANSWER, 1);
    CHECK_INT(store_update(store, SCENE_COLLECTION, &scene_doc, &filter, &set, NULL, false, &err),
              0);
    const struct scene late = {.status = SCENE_FAILED};
    cut("update", CUT_ANSWER, 1);
    CHECK_INT(store_update(store, SCENE_COLLECTION, &scene_doc, &filter, &late, NULL, false, &err),
              1);
    const char *ids[] = {id};
    CHECK_INT(store_delete_many(store, SCENE_COLLECTION, &scene_doc, ids, 1, &err), 0);
}

static void test_pulse(void)
{
    struct job job = inserted();
    struct store_claim one = {.job = job.id};
    CHECK_INT(store_claim(store, &one, 1, "w1", NOW, LEASE, &arena, &err), 0);
    struct store_pulse held = {.job = job.id, .run = 1, .rev = 1, .percent = 9};
    cut("update", CUT_ANSWER, 1);
    CHECK_INT(store_pulse(store, &held, 1, "w1", NOW + 2 * LEASE, &err), 0);
    CHECK(held.alive);
    CHECK_INT(fixture_read(store, job.id, &arena).tasks.at[0].percent, 9);
    fixture_delete(store, job.id);
}

/* Broken twice: nothing is claimed to be known. */
static void test_gives_up(void)
{
    struct job job = inserted();
    struct store_claim one = {.job = job.id};
    cut("findAndModify", CUT_ANSWER, 2);
    CHECK_INT(store_claim(store, &one, 1, "w1", NOW, LEASE, &arena, &err), -1);
    CHECK_INT(err.code, ERR_STORE_UNAVAILABLE);
    CHECK_INT(proxy.cuts, 0);
    CHECK(store_away(store));
    CHECK_INT(fixture_read(store, job.id, &arena).tasks.at[0].run, 1);
    CHECK(!store_away(store));
    fixture_delete(store, job.id);
}

int main(void)
{
    const char *url = fixture_url();
    const char *through = url ? proxy_url(url) : NULL;
    if (url && !through)
        printf("skip: MONGODB_URL is not one IPv4 address\n");
    if (!through)
        return 0;
    store = fixture_open(through);
    RUN(test_insert);
    RUN(test_claim);
    RUN(test_claim_batch);
    RUN(test_swap);
    RUN(test_records);
    RUN(test_pulse);
    RUN(test_gives_up);
    store_free(store);
    arena_release(&arena);
    return 0;
}
