/* The handles of one thread, and the loop that drives transfers, one or many. */
#include "common/http.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/http_transfer.h"

enum { ASK_STOPPED_MS = 250, PARALLEL_MAX = 256 };

struct http {
    CURLM *multi;
    struct arena arena; /* the policy's strings */
    struct http_policy policy;
    CURL *idle[PARALLEL_MAX]; /* handles waiting for their next request */
    size_t idle_len;
};

/* A call of http_perform_all. */
struct drive {
    struct http *http;
    const struct http_batch *batch;
    struct transfer *active[PARALLEL_MAX];
    size_t active_len;
    int64_t asked_ms; /* when the transfers' owners were last asked whether to go on */
};

static pthread_once_t initialised = PTHREAD_ONCE_INIT;

static void initialise(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        abort();
}

static void copy_policy(struct http *http, const struct http_policy *from)
{
    const char **cidrs = arena_alloc_array(&http->arena, from->allowed_cidrs_len, sizeof *cidrs);
    for (size_t i = 0; i < from->allowed_cidrs_len; i++)
        cidrs[i] = arena_strdup(&http->arena, from->allowed_cidrs[i]);
    http->policy = *from;
    http->policy.allowed_cidrs = cidrs;
    if (from->allowed_ports_len > 0)
        http->policy.allowed_ports = arena_memdup(&http->arena, from->allowed_ports,
                                                  from->allowed_ports_len * sizeof(int64_t));
}

int http_open(struct http **out, const struct http_policy *policy, int max_connections,
              struct err *err)
{
    if (http_guard_check_policy(policy, err))
        return -1;
    pthread_once(&initialised, initialise);
    struct http *http = calloc(1, sizeof *http);
    if (!http)
        abort();
    http->multi = curl_multi_init();
    if (!http->multi)
        abort();
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)max_connections);
    copy_policy(http, policy);
    *out = http;
    return 0;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    for (size_t i = 0; i < http->idle_len; i++)
        curl_easy_cleanup(http->idle[i]);
    curl_multi_cleanup(http->multi);
    arena_release(&http->arena);
    free(http);
}

static CURL *take_easy(struct http *http)
{
    CURL *easy = http->idle_len > 0 ? http->idle[--http->idle_len] : curl_easy_init();
    if (!easy)
        abort();
    return easy;
}

static void give_easy(struct http *http, CURL *easy)
{
    if (http->idle_len < PARALLEL_MAX)
        http->idle[http->idle_len++] = easy;
    else
        curl_easy_cleanup(easy);
}

/* Starts one transfer; a request that cannot even start is done at once. */
static int start(struct drive *drive, struct http_request *request, struct err *err)
{
    struct http *http = drive->http;
    CURL *easy = take_easy(http);
    struct transfer *transfer = calloc(1, sizeof *transfer);
    if (!transfer)
        abort();
    if (http_transfer_start(transfer, easy, &http->policy, request, &request->err)) {
        http_transfer_release(transfer);
        free(transfer);
        give_easy(http, easy);
        drive->batch->done(drive->batch->arg, request);
        return 0;
    }
    drive->active[drive->active_len++] = transfer;
    CURLMcode code = curl_multi_add_handle(http->multi, easy);
    return code ? err_set(err, ERR_INTERNAL, "libcurl: %s", curl_multi_strerror(code)) : 0;
}

/* Removes it from the loop; its request is not told. */
static struct http_request *detach(struct drive *drive, size_t at)
{
    struct transfer *transfer = drive->active[at];
    struct http_request *request = transfer->request;
    CURL *easy = transfer->easy;
    drive->active[at] = drive->active[--drive->active_len];
    curl_multi_remove_handle(drive->http->multi, easy);
    http_transfer_release(transfer);
    free(transfer);
    give_easy(drive->http, easy);
    return request;
}

static void finish(struct drive *drive, CURL *easy, CURLcode code)
{
    for (size_t i = 0; i < drive->active_len; i++) {
        if (drive->active[i]->easy != easy)
            continue;
        http_transfer_end(drive->active[i], code);
        drive->batch->done(drive->batch->arg, detach(drive, i));
        return;
    }
}

static void finish_all(struct drive *drive)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(drive->http->multi, &left)))
        if (message->msg == CURLMSG_DONE)
            finish(drive, message->easy_handle, message->data.result);
}

static void end_stopped(struct drive *drive)
{
    int64_t now = clock_mono_ms();
    if (now - drive->asked_ms < ASK_STOPPED_MS)
        return;
    drive->asked_ms = now;
    for (size_t i = drive->active_len; i-- > 0;)
        if (http_transfer_stopped(drive->active[i]))
            drive->batch->done(drive->batch->arg, detach(drive, i));
}

void http_go_on(struct http *http)
{
    int running;
    curl_multi_perform(http->multi, &running);
}

/* Returns 1 while there is something to wait for, at most *wait_ms. */
static int fill(struct drive *drive, int64_t *wait_ms, struct err *err)
{
    size_t parallel = (size_t)drive->batch->parallel;
    *wait_ms = 0;
    while (drive->active_len < (parallel < PARALLEL_MAX ? parallel : PARALLEL_MAX)) {
        struct http_request *request = drive->batch->next(drive->batch->arg, wait_ms);
        if (!request)
            break;
        if (start(drive, request, err))
            return -1;
        http_go_on(drive->http); /* the next one may take its time to be made */
        *wait_ms = 0;
    }
    return drive->active_len > 0 || *wait_ms > 0;
}

static int turn(struct drive *drive, int64_t wait_ms, struct err *err)
{
    CURLM *multi = drive->http->multi;
    int running;
    CURLMcode code = curl_multi_perform(multi, &running);
    size_t before = drive->active_len;
    finish_all(drive);
    end_stopped(drive);
    if (wait_ms <= 0 || wait_ms > ASK_STOPPED_MS)
        wait_ms = ASK_STOPPED_MS;
    if (code == CURLM_OK && drive->active_len == before)
        code = curl_multi_poll(multi, NULL, 0, (int)wait_ms, NULL);
    return code ? err_set(err, ERR_INTERNAL, "libcurl: %s", curl_multi_strerror(code)) : 0;
}

int http_perform_all(struct http *http, const struct http_batch *batch, struct err *err)
{
    struct drive drive = {.http = http, .batch = batch, .asked_ms = clock_mono_ms()};
    int64_t wait_ms;
    int more;
    while ((more = fill(&drive, &wait_ms, err)) > 0) {
        if (turn(&drive, wait_ms, err)) {
            more = -1;
            break;
        }
    }
    while (drive.active_len > 0) {
        struct http_request *request = detach(&drive, 0);
        err_set(&request->err, ERR_INTERNAL, "the transfer was given up");
        batch->done(batch->arg, request);
    }
    return more;
}

/* A batch of one. */
struct single {
    struct http_request *request;
    bool given;
};

static struct http_request *single_next(void *arg, int64_t *wait_ms)
{
    struct single *single = arg;
    (void)wait_ms;
    if (single->given)
        return NULL;
    single->given = true;
    return single->request;
}

static void single_done(void *arg, struct http_request *request)
{
    (void)arg;
    (void)request;
}

int http_perform(struct http *http, struct http_request *request, struct err *err)
{
    struct single single = {.request = request};
    struct http_batch batch = {single_next, single_done, &single, 1};
    if (http_perform_all(http, &batch, err))
        return -1;
    if (request->err.code == ERR_NONE)
        return 0;
    *err = request->err;
    return -1;
}
