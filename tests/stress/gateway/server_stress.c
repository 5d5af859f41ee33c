/* Lanes, edge and pool under clients of every kind: pipelines, pieces, half requests, resets,
 * floods. The server opens, serves, drains and closes several times. Sockets and libevent are real;
 * what a request means is a fake: it is answered by the lane, by the pool, or by a thread that
 * gives it back some time, or when its client has been told already that there is no answer. */
#include "gateway/server.h"

#include "http_talk.h"
#include "stress.h"

#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "gateway/gate.h"

enum { CLIENTS = 10, HELD_MAX = 4096 };

static const struct gateway_settings settings = {.listen = "127.0.0.1:0",
                                                 .lanes = 3,
                                                 .api_threads = 4,
                                                 .max_connections = 40,
                                                 .max_connections_per_address = 30,
                                                 .header_timeout_s = 1,
                                                 .drain_s = 20,
                                                 .queue_limit = 1};
static struct services services = {.gateway = &settings};
static uint16_t port;
static atomic_bool quiet; /* the server may go away now: clients end */
static atomic_int passed, finished, lates, answered, overloaded, broken, turned_away, told_late;

/* --- the gate --- */

/* What the thread has that gives requests back. */
static struct {
    pthread_mutex_t lock;
    struct {
        struct request *request;
        int64_t due_ms;
    } at[HELD_MAX];
    size_t len;
    bool ends;
} held = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void hold(struct request *request, int64_t ms)
{
    pthread_mutex_lock(&held.lock);
    CHECK(held.len < HELD_MAX);
    held.at[held.len].due_ms = clock_mono_ms() + ms;
    held.at[held.len++].request = request;
    pthread_mutex_unlock(&held.lock);
}

void api_release(struct api *api)
{
    (void)api;
}

static void echo(struct request *request)
{
    request->reply.status = 200;
    request->reply.content_type = "text/plain";
    request->reply.body.arena = &request->arena;
    text_printf(&request->reply.body, "%s|%s", request->path, request->body);
}

static void refuse(struct request *request, enum error code)
{
    struct err err = {0};
    err_set(&err, code, "not now");
    request->reply.close = code != ERR_OVERLOADED;
    reply_problem(request, &err);
}

bool gate_pass(struct api *api, struct pool *pool, struct request *request)
{
    atomic_fetch_add(&passed, 1);
    CHECK(api->services == &services);
    snprintf(request->id, sizeof request->id, "id");
    if (request->refused)
        return refuse(request, ERR_BAD_FRAMING), true;
    if (strcmp(request->path, "/pool") == 0) {
        if (pool_push(pool, request))
            return false;
        return refuse(request, ERR_OVERLOADED), true;
    }
    if (strcmp(request->path, "/soon") == 0)
        return hold(request, 0), false;
    if (strcmp(request->path, "/never") == 0)
        return hold(request, REQUEST_ANSWER_MS + 300), false;
    echo(request);
    return true;
}

void gate_run(struct api *api, struct request *request)
{
    CHECK(api->services == &services);
    usleep(300);
    echo(request);
    request->done(request);
}

void gate_finish(const struct services *of, struct request *request)
{
    CHECK(of == &services);
    atomic_fetch_add(&finished, 1);
    if (atomic_load(&services.draining))
        request->reply.close = true;
}

void gate_late(const struct services *of, struct err *err)
{
    CHECK(of == &services);
    atomic_fetch_add(&lates, 1);
    err_set(err, ERR_STORE_UNAVAILABLE, "no answer");
}

bool gate_is_watched(const struct request *request)
{
    return strcmp(request->path, "/now") != 0;
}

/* With the lock. */
static struct request *take_due(void)
{
    int64_t now = clock_mono_ms();
    for (size_t i = 0; i < held.len; i++) {
        struct request *request = held.at[i].request;
        if (held.at[i].due_ms > now && !atomic_load(&quiet))
            continue;
        held.at[i] = held.at[--held.len];
        return request;
    }
    return NULL;
}

static void *giver(void *unused)
{
    (void)unused;
    for (bool ends = false; !ends;) {
        pthread_mutex_lock(&held.lock);
        struct request *request = take_due();
        ends = held.ends && !request;
        pthread_mutex_unlock(&held.lock);
        if (request) {
            echo(request);
            request->done(request);
        } else {
            usleep(200);
        }
    }
    return NULL;
}

/* --- clients --- */

static const char *const paths[] = {"/now", "/pool", "/soon"};

/* Several requests at once; their answers come in order and are each request's own. */
static void pipeline(int fd, uint64_t *dice)
{
    char out[4096], want[8][64], body[1024];
    size_t len = 0;
    int count = 1 + (int)(*dice >> 33) % 8;
    for (int i = 0; i < count; i++) {
        const char *path = paths[(*dice >> (10 + i)) % 3];
        char sent[32];
        snprintf(sent, sizeof sent, "%d.%d", i, (int)(*dice >> 40));
        snprintf(want[i], sizeof want[i], "%s|%s", path, sent);
        len += write_request(out + len, sizeof out - len, path, sent);
    }
    if (!send_all(fd, out, len))
        return;
    for (int i = 0; i < count; i++) {
        int status = read_answer(fd, body, sizeof body);
        if (status == 200) {
            CHECK_STR(body, want[i]);
            atomic_fetch_add(&answered, 1);
        } else if (status == 503) {
            atomic_fetch_add(&overloaded, 1);
        } else {
            CHECK_INT(status, 0);
            atomic_fetch_add(&turned_away, 1);
            return;
        }
    }
}

/* Byte by byte, as if over a bad line. */
static void pieces(int fd)
{
    char out[256], body[1024];
    size_t len = write_request(out, sizeof out, "/pool", "piece by piece");
    for (size_t i = 0; i < len; i++)
        if (!send_all(fd, out + i, 1))
            return;
    if (read_answer(fd, body, sizeof body) == 200)
        CHECK_STR(body, "/pool|piece by piece");
}

/* A part of a request, or all of it, or more than one; then nobody is there any more. */
static void leave_in_the_middle(int fd, uint64_t *dice)
{
    char out[1024];
    size_t len = write_request(out, sizeof out, paths[(*dice >> 20) % 3], "nobody waits for this");
    len += write_request(out + len, sizeof out - len, paths[(*dice >> 25) % 3], "nor for this");
    send_all(fd, out, (size_t)(*dice >> 33) % len);
    if (stress_chance(dice, 500))
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
}

static void nonsense(int fd)
{
    static const char out[] = "GET /a b HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nxyz";
    char body[1024];
    if (!send_all(fd, out, sizeof out - 1))
        return;
    int status = read_answer(fd, body, sizeof body);
    CHECK(status == 400 || status == 503 || status == 0);
    atomic_fetch_add(&broken, status == 400);
}

/* Asks for what is not answered in time; the connection goes on afterwards. */
static void *patient_client(void *unused)
{
    (void)unused;
    while (!atomic_load(&quiet)) {
        char out[256], body[1024];
        size_t len = write_request(out, sizeof out, "/never", "");
        int fd = talk_to(port);
        if (fd < 0)
            continue;
        if (send_all(fd, out, len) && read_answer(fd, body, sizeof body) == 503 &&
            strstr(body, "store-unavailable"))
            atomic_fetch_add(&told_late, 1);
        len = write_request(out, sizeof out, "/pool", "and now?");
        if (send_all(fd, out, len) && read_answer(fd, body, sizeof body) == 200)
            CHECK_STR(body, "/pool|and now?");
        close(fd);
    }
    return NULL;
}

static void *client(void *arg)
{
    uint64_t dice = stress_seed((uint64_t)(uintptr_t)arg);
    while (!atomic_load(&quiet)) {
        int fd = talk_to(port);
        if (fd < 0)
            continue;
        for (int i = 0; i < 4 && stress_chance(&dice, 600); i++)
            pipeline(fd, &dice);
        if (stress_chance(&dice, 200))
            pieces(fd);
        else if (stress_chance(&dice, 200))
            nonsense(fd);
        else if (stress_chance(&dice, 400))
            leave_in_the_middle(fd, &dice);
        close(fd);
    }
    return NULL;
}

/* Holds more connections than one address may have, and lets them go. */
static void *flood(void *unused)
{
    int fds[40];
    (void)unused;
    while (!atomic_load(&quiet)) {
        for (size_t i = 0; i < 40; i++)
            fds[i] = talk_to(port);
        usleep(5000);
        for (size_t i = 0; i < 40; i++)
            if (fds[i] >= 0)
                close(fds[i]);
        usleep(50000);
    }
    return NULL;
}

/* --- rounds --- */

static void *end_of_round(void *ms)
{
    usleep(*(const unsigned *)ms * 1000);
    kill(getpid(), SIGTERM); /* while clients talk */
    usleep(20000);
    atomic_store(&quiet, true);
    return NULL;
}

static int open_files(void)
{
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    CHECK(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static void one_round(unsigned ms)
{
    pthread_t clients[CLIENTS], others[4];
    struct server *server;
    struct err err = {0};
    atomic_store(&quiet, false);
    atomic_store(&services.draining, false);
    held.ends = false;
    services.base_url = NULL;
    CHECK_INT(server_open(&server, &services, &err), 0);
    port = (uint16_t)atoi(strrchr(server_address(server), ':') + 1);
    others[0] = stress_thread(giver, NULL);
    others[1] = stress_thread(flood, NULL);
    others[2] = stress_thread(end_of_round, &ms);
    others[3] = stress_thread(patient_client, NULL);
    for (size_t i = 0; i < CLIENTS; i++)
        clients[i] = stress_thread(client, (void *)(uintptr_t)(i + 1));
    server_run(server);
    pthread_mutex_lock(&held.lock);
    held.ends = true;
    pthread_mutex_unlock(&held.lock);
    pthread_join(others[0], NULL); /* as the committer ends before the server is freed */
    server_free(server);
    stress_join(clients, CLIENTS);
    stress_join(others + 1, 3);
    CHECK_INT(atomic_load(&passed) + atomic_load(&lates), atomic_load(&finished));
}

static void every_request_is_answered_once(void)
{
    int files = open_files();
    one_round(600);
    one_round(REQUEST_ANSWER_MS + 800); /* for those who wait too long */
    one_round(600);
    CHECK_INT(open_files(), files);
    CHECK(atomic_load(&told_late) > 0);
    CHECK(atomic_load(&answered) > 0 && atomic_load(&broken) > 0 && atomic_load(&overloaded) > 0);
    printf("# %d requests, %d answers read, %d refused for overload, %d for framing; %d cut off\n",
           atomic_load(&passed), atomic_load(&answered), atomic_load(&overloaded),
           atomic_load(&broken), atomic_load(&turned_away));
}

int main(void)
{
    server_prepare_process(settings.max_connections);
    log_open("stress", LOG_ERROR);
    services.metrics = metrics_open();
    RUN(every_request_is_answered_once);
    metrics_free(services.metrics);
    return 0;
}
