/* What waits in the publisher: tickets to send, in order, and the window of those sent but not
 * confirmed. */
#ifndef COMMON_PUBLISHER_QUEUE_H
#define COMMON_PUBLISHER_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/id.h"
#include "proto/kind.h"

struct dead_letter;

struct outgoing {
    const struct dead_letter *letter; /* or NULL: a ticket, of kind, task and job */
    enum kind kind;
    int64_t task;
    void (*done)(void *arg, bool confirmed);
    void *arg;
    int64_t deadline_ms; /* clock_mono_ms */
    char job[ID_ULID_LEN + 1];
    bool again;    /* this is the second try */
    bool returned; /* no queue took it: the confirm that follows means nothing */
};
void outgoing_finish(const struct outgoing *outgoing, bool confirmed);

/* First in, first out, of fixed room (a power of two). */
struct publisher_queue {
    struct outgoing *at;
    size_t room, head, len;
};
void publisher_queue_init(struct publisher_queue *queue, size_t room);
void publisher_queue_release(struct publisher_queue *queue);
void publisher_queue_push(struct publisher_queue *queue, const struct outgoing *outgoing);
bool publisher_queue_pop(struct publisher_queue *queue, struct outgoing *out);
/* Tickets of that kind. */
int64_t publisher_queue_count(const struct publisher_queue *queue, enum kind kind);
/* The next one to pop, or NULL. */
const struct outgoing *publisher_queue_peek(const struct publisher_queue *queue);

/* Delivery tags count the publishes of a channel from 1. At most WINDOW_MAX are unconfirmed: the
 * broker gains nothing from more (RabbitMQ's blog of 2020-05-14), and it bounds what a lost
 * connection makes us send again. */
enum { WINDOW_MAX = 1000, WINDOW_ROOM = 1024 };
struct window {
    struct outgoing slots[WINDOW_ROOM]; /* by tag */
    bool open[WINDOW_ROOM];
    uint64_t first, next; /* open tags are in [first, next) */
};
void window_reset(struct window *window);
bool window_has_room(const struct window *window);
bool window_is_empty(const struct window *window);
int64_t window_count(const struct window *window, enum kind kind);
/* The tag of the publish that must follow. */
uint64_t window_add(struct window *window, const struct outgoing *outgoing);
/* NULL if it is not open. */
struct outgoing *window_find(struct window *window, uint64_t tag);
/* Takes the tag, or with `multiple` one of all up to it: call until false. */
bool window_settle(struct window *window, uint64_t tag, bool multiple, struct outgoing *out);
/* Takes one whose deadline has passed: call until false. */
bool window_expire(struct window *window, int64_t now_ms, struct outgoing *out);

#endif
