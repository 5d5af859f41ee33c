/* The publisher's door: what other threads may call, and the loop of its own thread. */
#include "common/publisher.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/publisher_link.h"

enum { QUEUE_ROOM = 65536, BATCH = 256, DEADLINE_MS = 5000, DEPTH_MS = 2000 };
enum { TICK_MS = 100 }; /* how long the thread sleeps at most with deadlines to watch */

/* Callers take a number and wait until it is answered; one answer serves all who asked before it.
 */
struct depth_question {
    uint64_t asked, answered;
    struct queue_depth depth;
    struct err err; /* code ERR_NONE: depth is true */
};

struct publisher {
    pthread_t thread;
    int wake_fd;
    atomic_bool connected, blocked;

    pthread_mutex_t mutex; /* of the following */
    pthread_cond_t answered;
    struct publisher_queue queue;
    struct depth_question depths[KIND_COUNT];
    struct err lost; /* why there is no connection */
    bool closing;
    int64_t close_by_ms;

    struct publisher_link link; /* the thread's own */
};

static void wake(struct publisher *publisher)
{
    const uint64_t one = 1;
    ssize_t written = write(publisher->wake_fd, &one, sizeof one);
    (void)written; /* EAGAIN: more wakes than anybody counts are pending */
}

/* Moves a batch into the outbox; false when there is nothing to send. */
static bool take_batch(struct publisher *publisher)
{
    struct publisher_queue *outbox = &publisher->link.outbox;
    struct outgoing outgoing;
    if (outbox->len > 0)
        return true;
    pthread_mutex_lock(&publisher->mutex);
    for (int i = 0; i < BATCH && publisher_queue_pop(&publisher->queue, &outgoing); i++)
        publisher_queue_push(outbox, &outgoing);
    pthread_mutex_unlock(&publisher->mutex);
    return outbox->len > 0;
}

static void refuse_all(struct publisher *publisher)
{
    while (take_batch(publisher))
        publisher_link_refuse(&publisher->link);
}

static void set_lost(struct publisher *publisher, const struct err *err)
{
    pthread_mutex_lock(&publisher->mutex);
    publisher->lost = *err;
    pthread_mutex_unlock(&publisher->mutex);
}

static void lose(struct publisher *publisher, const struct err *err)
{
    set_lost(publisher, err);
    atomic_store(&publisher->connected, false);
    atomic_store(&publisher->blocked, false);
    publisher_link_close(&publisher->link, false);
}

static int64_t count_unconfirmed(struct publisher *publisher, enum kind kind)
{
    const struct publisher_link *link = &publisher->link;
    pthread_mutex_lock(&publisher->mutex);
    int64_t count = publisher_queue_count(&publisher->queue, kind);
    pthread_mutex_unlock(&publisher->mutex);
    return count + publisher_queue_count(&link->outbox, kind) + window_count(&link->window, kind);
}

/* Answers one question if there is any; -1 when that cost the connection. */
static int answer_depth(struct publisher *publisher, enum kind kind, struct err *err)
{
    struct depth_question *question = &publisher->depths[kind];
    struct queue_depth depth = {0};
    int result = 0;
    pthread_mutex_lock(&publisher->mutex);
    uint64_t asked = question->asked;
    bool wanted = asked != question->answered;
    struct err why = publisher->lost;
    pthread_mutex_unlock(&publisher->mutex);
    if (!wanted)
        return 0;
    if (publisher->link.blocked)
        err_set(&why, ERR_BROKER_UNAVAILABLE, "the broker is blocked");
    else if (publisher->link.link.state) {
        int64_t unconfirmed = count_unconfirmed(publisher, kind);
        result = publisher_link_depth(&publisher->link, kind, &depth, err);
        depth.unconfirmed = unconfirmed;
        why = result ? *err : (struct err){0};
    }
    pthread_mutex_lock(&publisher->mutex);
    question->answered = asked;
    question->depth = depth;
    question->err = why;
    pthread_cond_broadcast(&publisher->answered);
    pthread_mutex_unlock(&publisher->mutex);
    return result;
}

static int answer_depths(struct publisher *publisher, struct err *err)
{
    for (enum kind kind = KIND_NONE; kind < KIND_COUNT; kind++)
        if (answer_depth(publisher, kind, err))
            return -1;
    return 0;
}

static void sleep_until_woken(struct publisher *publisher, int64_t ms)
{
    struct publisher_link *link = &publisher->link;
    struct pollfd fds[] = {
        {.fd = publisher->wake_fd, .events = POLLIN},
        {.fd = link->link.fd, .events = POLLIN}, /* -1 is ignored by poll */
    };
    if (link->stuffed)
        fds[1].events |= POLLOUT;
    if (poll(fds, 2, (int)ms) <= 0 || !fds[0].revents)
        return;
    uint64_t wakes;
    ssize_t got = read(publisher->wake_fd, &wakes, sizeof wakes);
    (void)got; /* only this thread reads it, and poll said that there is something */
}

/* What there is to do is done; how long may the thread sleep? */
static int64_t rest_ms(struct publisher *publisher)
{
    struct publisher_link *link = &publisher->link;
    if (link->redeclare || broker_link_pending(&link->link))
        return 0;
    if (link->outbox.len > 0)
        return TICK_MS; /* stuffed, or the window is full: an answer wakes us */
    pthread_mutex_lock(&publisher->mutex);
    bool more = publisher->queue.len > 0;
    pthread_mutex_unlock(&publisher->mutex);
    if (more)
        return 0;
    return window_is_empty(&link->window) ? broker_link_idle_ms(&link->link) : TICK_MS;
}

static int serve(struct publisher *publisher, struct err *err)
{
    struct publisher_link *link = &publisher->link;
    if (publisher_link_receive(link, err))
        return -1;
    atomic_store(&publisher->blocked, link->blocked);
    int64_t now = clock_mono_ms();
    if (link->blocked)
        refuse_all(publisher);
    else if (take_batch(publisher) && publisher_link_send(link, now, err))
        return -1;
    publisher_link_expire(link, now);
    if (answer_depths(publisher, err))
        return -1;
    sleep_until_woken(publisher, rest_ms(publisher));
    return 0;
}

/* Nothing queues up behind a dead broker: the store's alarms publish what is refused here. */
static void serve_disconnected(struct publisher *publisher)
{
    struct err err = {0};
    refuse_all(publisher);
    (void)answer_depths(publisher, &err); /* without a connection it can only say why */
    int64_t left = backoff_left(&publisher->link.link.backoff, clock_mono_ms());
    if (left > 0) {
        sleep_until_woken(publisher, left);
    } else if (publisher_link_connect(&publisher->link, &err)) {
        set_lost(publisher, &err);
    } else {
        atomic_store(&publisher->connected, true);
    }
}

static bool is_finished(struct publisher *publisher)
{
    const struct publisher_link *link = &publisher->link;
    pthread_mutex_lock(&publisher->mutex);
    bool closing = publisher->closing;
    bool idle = publisher->queue.len == 0;
    int64_t close_by = publisher->close_by_ms;
    pthread_mutex_unlock(&publisher->mutex);
    if (!closing)
        return false;
    idle = idle && link->outbox.len == 0 && window_is_empty(&link->window);
    return idle || clock_mono_ms() >= close_by || !link->link.state;
}

static void *run(void *arg)
{
    struct publisher *publisher = arg;
    struct err err = {0};
    while (!is_finished(publisher)) {
        if (!publisher->link.link.state)
            serve_disconnected(publisher);
        else if (serve(publisher, &err))
            lose(publisher, &err);
    }
    publisher_link_close(&publisher->link, !publisher->link.blocked);
    refuse_all(publisher);
    return NULL;
}

static void release(struct publisher *publisher)
{
    broker_link_release(&publisher->link.link);
    publisher_queue_release(&publisher->link.outbox);
    publisher_queue_release(&publisher->queue);
    arena_release(&publisher->link.arena);
    pthread_cond_destroy(&publisher->answered);
    pthread_mutex_destroy(&publisher->mutex);
    if (publisher->wake_fd >= 0)
        close(publisher->wake_fd);
    free(publisher);
}

/* Signals are for the main thread. */
static int start(struct publisher *publisher, struct err *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&publisher->thread, NULL, run, publisher);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed ? err_errno(err, failed, "start the publisher") : 0;
}

int publisher_open(struct publisher **out, const char *amqp_url, const char *app, struct err *err)
{
    struct publisher *publisher = calloc(1, sizeof *publisher);
    if (!publisher)
        abort();
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&publisher->answered, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&publisher->mutex, NULL);
    publisher_queue_init(&publisher->queue, QUEUE_ROOM);
    publisher_queue_init(&publisher->link.outbox, OUTBOX_ROOM);
    err_set(&publisher->lost, ERR_BROKER_UNAVAILABLE, "not connected yet");
    publisher->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int failed = publisher->wake_fd < 0
                     ? err_errno(err, errno, "eventfd")
                     : broker_link_init(&publisher->link.link, amqp_url, app, err);
    if (failed || start(publisher, err)) {
        release(publisher);
        return -1;
    }
    *out = publisher;
    return 0;
}

void publisher_free(struct publisher *publisher, int drain_ms)
{
    if (!publisher)
        return;
    pthread_mutex_lock(&publisher->mutex);
    publisher->closing = true;
    publisher->close_by_ms = clock_mono_ms() + drain_ms;
    pthread_mutex_unlock(&publisher->mutex);
    wake(publisher);
    pthread_join(publisher->thread, NULL);
    release(publisher);
}

static bool is_sound(const struct publication *publication)
{
    return publication->kind > KIND_NONE && publication->kind < KIND_COUNT && publication->job &&
           strlen(publication->job) == ID_ULID_LEN;
}

static struct outgoing outgoing_of(const struct publication *publication, int64_t deadline_ms)
{
    struct outgoing outgoing = {.kind = publication->kind,
                                .task = publication->task,
                                .done = publication->done,
                                .arg = publication->arg,
                                .deadline_ms = deadline_ms};
    memcpy(outgoing.job, publication->job, sizeof outgoing.job);
    return outgoing;
}

/* Says how the queueing went, and wakes the thread where it may sleep. */
static int queued(struct publisher *publisher, bool fits, bool was_empty, struct err *err)
{
    if (!fits)
        return err_set(err, ERR_OVERLOADED, "%d tickets wait for the broker already", QUEUE_ROOM);
    if (was_empty)
        wake(publisher);
    return 0;
}

int publisher_send(struct publisher *publisher, const struct publication *publications, size_t len,
                   struct err *err)
{
    for (size_t i = 0; i < len; i++)
        if (!is_sound(&publications[i]))
            return err_set(err, ERR_INTERNAL, "a ticket without kind or job");
    int64_t deadline = clock_mono_ms() + DEADLINE_MS;
    pthread_mutex_lock(&publisher->mutex);
    bool fits = len <= publisher->queue.room - publisher->queue.len;
    bool was_empty = publisher->queue.len == 0;
    for (size_t i = 0; fits && i < len; i++) {
        struct outgoing outgoing = outgoing_of(&publications[i], deadline);
        publisher_queue_push(&publisher->queue, &outgoing);
    }
    pthread_mutex_unlock(&publisher->mutex);
    return queued(publisher, fits, was_empty && len > 0, err);
}

int publisher_bury(struct publisher *publisher, const struct dead_letter *letter, struct err *err)
{
    const struct outgoing outgoing = {.letter = letter,
                                      .done = letter->done,
                                      .arg = letter->arg,
                                      .deadline_ms = clock_mono_ms() + DEADLINE_MS};
    pthread_mutex_lock(&publisher->mutex);
    bool fits = publisher->queue.len < publisher->queue.room;
    bool was_empty = publisher->queue.len == 0;
    if (fits)
        publisher_queue_push(&publisher->queue, &outgoing);
    pthread_mutex_unlock(&publisher->mutex);
    return queued(publisher, fits, was_empty, err);
}

int publisher_depth(struct publisher *publisher, enum kind kind, struct queue_depth *out,
                    struct err *err)
{
    struct depth_question *question = &publisher->depths[kind];
    int64_t until_ms = clock_mono_ms() + DEPTH_MS;
    const struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
    int failed = 0;
    pthread_mutex_lock(&publisher->mutex);
    uint64_t number = ++question->asked;
    wake(publisher);
    while (question->answered < number && failed == 0)
        failed = pthread_cond_timedwait(&publisher->answered, &publisher->mutex, &until);
    bool answered = question->answered >= number;
    struct err why = question->err;
    struct queue_depth depth = question->depth;
    pthread_mutex_unlock(&publisher->mutex);
    if (!answered)
        return err_set(err, ERR_BROKER_UNAVAILABLE, "no answer about the queue in %d ms", DEPTH_MS);
    if (why.code != ERR_NONE) {
        *err = why;
        return -1;
    }
    *out = depth;
    return 0;
}

bool publisher_connected(const struct publisher *publisher)
{
    return atomic_load(&publisher->connected);
}

bool publisher_blocked(const struct publisher *publisher)
{
    return atomic_load(&publisher->blocked);
}

int publisher_check(struct publisher *publisher, struct err *err)
{
    if (publisher_connected(publisher) && !publisher_blocked(publisher))
        return 0;
    if (publisher_connected(publisher))
        return err_set(err, ERR_BROKER_UNAVAILABLE, "the broker is blocked");
    pthread_mutex_lock(&publisher->mutex);
    *err = publisher->lost;
    pthread_mutex_unlock(&publisher->mutex);
    return -1;
}
