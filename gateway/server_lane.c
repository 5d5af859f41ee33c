/* Everything here runs on the lane's thread, but for lane_done, lane_drain and lane_stop, which
 * only post and wake. */
#include "gateway/server_lane.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "gateway/server_late.h"

enum { IDLE_TIMEOUT_S = 60, BODY_TIMEOUT_MS = 30000, BACKLOG = 1024, ACCEPT_TICK_MS = 250 };

struct lane {
    struct lane_settings settings;
    struct api api;
    pthread_t thread;
    bool started;
    struct event_base *base;
    struct edge *edge;
    struct evhttp *http;
    struct evhttp_bound_socket *bound;
    struct event *wake, *accept_tick, *drain_tick;
    int wake_fd;
    _Atomic(struct request *) done; /* a stack, the newest first */
    atomic_bool draining, stopping, ended;
    struct slots *slots;
    struct late *late;
};

/* --- requests --- */

static void wake(struct lane *lane)
{
    uint64_t one = 1;
    ssize_t written = write(lane->wake_fd, &one, sizeof one);
    (void)written; /* the counter is full: it is awake already */
}

/* request->done: any thread. */
static void lane_done(struct request *request)
{
    struct lane *lane = ((struct slot *)request->lane)->owner;
    struct request *top = atomic_load_explicit(&lane->done, memory_order_relaxed);
    do
        request->next = top;
    while (!atomic_compare_exchange_weak_explicit(&lane->done, &top, request, memory_order_release,
                                                  memory_order_relaxed));
    if (!top)
        wake(lane);
}

/* evhttp hands a request that it no longer has a connection for to whoever it was given to. */
static void on_close(struct evhttp_connection *connection, void *arg)
{
    struct slot *slot = arg;
    (void)connection;
    if (slot->to && !evhttp_request_get_connection(slot->to))
        evhttp_request_free(slot->to);
    slot->to = NULL;
}

static void log_request(const struct request *request, const char *event, int64_t took_ms)
{
    char status[16], took[24];
    snprintf(status, sizeof status, "%d", request->reply.status);
    snprintf(took, sizeof took, "%lld", (long long)took_ms);
    log_event(request->reply.status >= 500 ? LOG_WARN : LOG_INFO, event, "req", request->id,
              "method", request->method, "path", request->path, "status", status, "ms", took,
              "peer", request->peer, "tenant", request->who.tenant, "who", request->who.name,
              "code", error_names[request->error], "detail", request->detail, NULL);
}

static void answer(struct slot *slot)
{
    struct request *request = slot->request;
    struct lane *lane = slot->owner;
    struct services *services = lane->settings.services;
    int64_t took_ms = clock_mono_ms() - request->began_ms;
    late_forget(lane->late, slot);
    gate_finish(services, request);
    if (!slot->late)
        metrics_end(services->metrics, request->route, request->reply.status, took_ms);
    log_request(request, slot->late ? "late" : "request", took_ms);
    if (slot->to)
        evhttp_connection_set_closecb(evhttp_request_get_connection(slot->to), NULL, NULL);
    lane_write(request, slot->to);
    slots_give(slot);
}

/* Somebody else still works on the request: another one is answered in its place. What is shared
 * has not changed since it left the lane. */
static void answer_late(struct slot *slot)
{
    struct lane *lane = slot->owner;
    struct evhttp_request *to = slot->to;
    const struct request *request = slot->request;
    struct err err = {0};
    if (!to)
        return;
    slot->to = NULL;
    slot->late = true;
    struct slot *instead = slots_take(lane->slots, to);
    struct request *copy = instead->request;
    memcpy(copy->id, request->id, sizeof copy->id);
    copy->method = request->method;
    copy->path = request->path;
    copy->peer = request->peer;
    copy->headers = request->headers;
    copy->began_ms = request->began_ms;
    copy->route = request->route;
    copy->who = request->who;
    gate_late(lane->settings.services, &err);
    reply_problem(copy, &err);
    answer(instead);
}

static void on_request(struct evhttp_request *from, void *arg)
{
    struct lane *lane = arg;
    struct slot *slot = slots_take(lane->slots, from);
    struct request *request = slot->request;
    metrics_begin(lane->settings.services->metrics);
    request->began_ms = clock_mono_ms();
    request->done = lane_done;
    request->lane = slot;
    lane_read(from, request);
    evhttp_connection_set_closecb(evhttp_request_get_connection(from), on_close, slot);
    if (gate_pass(&lane->api, lane->settings.pool, request))
        answer(slot);
    else if (gate_is_watched(request))
        late_watch(lane->late, slot);
}

static struct request *reversed(struct request *stack)
{
    struct request *list = NULL;
    while (stack) {
        struct request *next = stack->next;
        stack->next = list;
        list = stack;
        stack = next;
    }
    return list;
}

static void answer_done(struct lane *lane)
{
    struct request *next,
        *list = reversed(atomic_exchange_explicit(&lane->done, NULL, memory_order_acquire));
    for (; list; list = next) {
        next = list->next;
        answer(list->lane);
    }
}

/* --- loop --- */

static void stop_accepting(struct lane *lane)
{
    if (lane->bound)
        evhttp_del_accept_socket(lane->http, lane->bound);
    lane->bound = NULL;
}

static void end_if_drained(struct lane *lane)
{
    bool drained =
        atomic_load(&lane->draining) && slots_busy(lane->slots) == 0 && !edge_writing(lane->edge);
    if (drained || atomic_load(&lane->stopping))
        event_base_loopbreak(lane->base);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct lane *lane = arg;
    uint64_t count;
    ssize_t got = read(fd, &count, sizeof count);
    (void)got; /* nothing there: woken for nothing */
    (void)what;
    answer_done(lane);
    if (atomic_load(&lane->draining)) {
        const struct timeval tick = {.tv_usec = 20000};
        stop_accepting(lane);
        event_add(lane->drain_tick, &tick);
    }
    end_if_drained(lane);
}

static void on_drain_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    end_if_drained(arg);
}

/* Out of file descriptors: a pause instead of a busy loop; what is in the backlog waits. The
 * argument is evhttp's own, so that the lane cannot be told: its tick ends the pause. */
static void on_accept_error(struct evconnlistener *listener, void *ignored)
{
    (void)ignored;
    evconnlistener_disable(listener);
}

static void on_accept_tick(evutil_socket_t fd, short what, void *arg)
{
    struct lane *lane = arg;
    (void)fd;
    (void)what;
    if (lane->bound)
        evconnlistener_enable(evhttp_bound_socket_get_listener(lane->bound));
}

static void *run(void *arg)
{
    struct lane *lane = arg;
    event_base_dispatch(lane->base);
    atomic_store(&lane->ended, true);
    return NULL;
}

/* --- opening and closing --- */

static int open_http(struct lane *lane, struct err *err)
{
    const struct gateway_settings *settings = lane->settings.services->gateway;
    const struct edge_limits limits = {.header_timeout_ms = settings->header_timeout_s * 1000,
                                       .body_timeout_ms = BODY_TIMEOUT_MS};
    if (edge_open(&lane->edge, lane->base, &limits, lane->settings.peers, err))
        return -1;
    lane->http = evhttp_new(lane->base);
    if (!lane->http)
        return err_set(err, ERR_INTERNAL, "no HTTP server");
    evhttp_set_bevcb(lane->http, edge_bufferevent, lane->edge);
    evhttp_set_gencb(lane->http, on_request, lane);
    evhttp_set_default_content_type(lane->http, NULL);
    evhttp_set_timeout(lane->http, IDLE_TIMEOUT_S);
    evhttp_set_max_headers_size(lane->http, 2 * EDGE_HEAD_MAX);
    evhttp_set_max_body_size(lane->http, EDGE_BODY_LIMIT);
    evhttp_set_allowed_methods(lane->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
                                               EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
                                               EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE |
                                               EVHTTP_REQ_PATCH);
    return 0;
}

static int listen_on(struct lane *lane, int fd, struct err *err)
{
    struct evconnlistener *listener = evconnlistener_new(
        lane->base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, BACKLOG, fd);
    if (!listener) {
        close(fd);
        return err_set(err, ERR_CONFIG, "cannot listen");
    }
    lane->bound = evhttp_bind_listener(lane->http, listener);
    if (!lane->bound) {
        evconnlistener_free(listener);
        return err_set(err, ERR_INTERNAL, "cannot bind the listener");
    }
    evconnlistener_set_error_cb(listener, on_accept_error);
    return 0;
}

static int open_loop(struct lane *lane, struct err *err)
{
    lane->base = event_base_new();
    lane->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (!lane->base || lane->wake_fd < 0)
        return err_set(err, ERR_INTERNAL, "no event loop");
    lane->wake = event_new(lane->base, lane->wake_fd, EV_READ | EV_PERSIST, on_wake, lane);
    lane->accept_tick = event_new(lane->base, -1, EV_PERSIST, on_accept_tick, lane);
    lane->drain_tick = event_new(lane->base, -1, EV_PERSIST, on_drain_tick, lane);
    const struct timeval tick = {.tv_usec = ACCEPT_TICK_MS * 1000};
    if (!lane->wake || !lane->accept_tick || !lane->drain_tick || event_add(lane->wake, NULL) ||
        event_add(lane->accept_tick, &tick))
        return err_set(err, ERR_INTERNAL, "no event");
    return 0;
}

int lane_open(struct lane **out, const struct lane_settings *settings, int fd, struct err *err)
{
    struct lane *lane = calloc(1, sizeof *lane);
    if (!lane)
        abort();
    lane->settings = *settings;
    lane->api.services = settings->services;
    lane->wake_fd = -1;
    lane->slots = slots_open(lane);
    bool ready = open_loop(lane, err) == 0 &&
                 late_open(&lane->late, lane->base, answer_late, err) == 0 &&
                 open_http(lane, err) == 0;
    if (!ready)
        close(fd);
    if (!ready || listen_on(lane, fd, err)) {
        lane_free(lane);
        return -1;
    }
    if (pthread_create(&lane->thread, NULL, run, lane))
        abort();
    lane->started = true;
    *out = lane;
    return 0;
}

void lane_drain(struct lane *lane)
{
    atomic_store(&lane->draining, true);
    wake(lane);
}

void lane_stop(struct lane *lane)
{
    atomic_store(&lane->stopping, true);
    wake(lane);
}

_Bool lane_ended(const struct lane *lane)
{
    return atomic_load(&lane->ended);
}

static void free_events(struct lane *lane)
{
    struct event *events[] = {lane->wake, lane->accept_tick, lane->drain_tick};
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        if (events[i])
            event_free(events[i]);
}

void lane_free(struct lane *lane)
{
    if (!lane)
        return;
    if (lane->started)
        pthread_join(lane->thread, NULL);
    if (lane->http) {
        answer_done(lane); /* what came back after the loop ended */
        evhttp_free(lane->http);
        /* bufferevents are freed by the loop. */
        event_base_loop(lane->base, EVLOOP_NONBLOCK);
        event_base_loop(lane->base, EVLOOP_NONBLOCK);
    }
    edge_free(lane->edge);
    free_events(lane);
    late_free(lane->late);
    if (lane->base)
        event_base_free(lane->base);
    if (lane->wake_fd >= 0)
        close(lane->wake_fd);
    api_release(&lane->api);
    slots_free(lane->slots);
    free(lane);
}
