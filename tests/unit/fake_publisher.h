/* The publisher's door: what was sent, and queues as deep as the test says. For programs of one
 * file. */
#ifndef TESTS_FAKE_PUBLISHER_H
#define TESTS_FAKE_PUBLISHER_H

#include "check.h"

#include <pthread.h>

#include "common/publisher.h"

enum { FAKE_SENT = 8192 };

static struct {
    pthread_mutex_t lock;
    struct {
        enum kind kind;
        char job[27];
        int64_t task;
    } sent[FAKE_SENT];
    size_t len;
    int64_t ready; /* in every queue; grows with what is sent */
    int64_t unconfirmed;
    int depths; /* times somebody asked */
    bool away;
    const struct dead_letter *letters[16]; /* answered by the test */
    size_t letters_len;
    /* Where tickets go on to, or NULL. Called with the lock. */
    void (*on_sent)(const char *job, int64_t task);
} fake_publisher = {.lock = PTHREAD_MUTEX_INITIALIZER};

static inline size_t fake_sent(void)
{
    pthread_mutex_lock(&fake_publisher.lock);
    size_t len = fake_publisher.len;
    pthread_mutex_unlock(&fake_publisher.lock);
    return len;
}

int publisher_open(struct publisher **out, const char *amqp_url, const char *app, struct err *err)
{
    (void)amqp_url, (void)app, (void)err;
    *out = NULL;
    return 0;
}

void publisher_free(struct publisher *publisher, int drain_ms)
{
    (void)publisher, (void)drain_ms;
}

int publisher_send(struct publisher *publisher, const struct publication *publications, size_t len,
                   struct err *err)
{
    (void)publisher, (void)err;
    pthread_mutex_lock(&fake_publisher.lock);
    for (size_t i = 0; i < len; i++) {
        CHECK(fake_publisher.len < FAKE_SENT);
        fake_publisher.ready++;
        fake_publisher.sent[fake_publisher.len].kind = publications[i].kind;
        fake_publisher.sent[fake_publisher.len].task = publications[i].task;
        strcpy(fake_publisher.sent[fake_publisher.len++].job, publications[i].job);
        if (fake_publisher.on_sent)
            fake_publisher.on_sent(publications[i].job, publications[i].task);
    }
    pthread_mutex_unlock(&fake_publisher.lock);
    return 0;
}

int publisher_bury(struct publisher *publisher, const struct dead_letter *letter, struct err *err)
{
    (void)publisher;
    pthread_mutex_lock(&fake_publisher.lock);
    const size_t room = sizeof fake_publisher.letters / sizeof fake_publisher.letters[0];
    bool fits = fake_publisher.letters_len < room;
    if (fits)
        fake_publisher.letters[fake_publisher.letters_len++] = letter;
    pthread_mutex_unlock(&fake_publisher.lock);
    return fits ? 0 : err_set(err, ERR_OVERLOADED, "full");
}

int publisher_depth(struct publisher *publisher, enum kind kind, struct queue_depth *out,
                    struct err *err)
{
    (void)publisher, (void)kind;
    pthread_mutex_lock(&fake_publisher.lock);
    fake_publisher.depths++;
    *out = (struct queue_depth){fake_publisher.ready, 1, fake_publisher.unconfirmed};
    bool away = fake_publisher.away;
    pthread_mutex_unlock(&fake_publisher.lock);
    return away ? err_set(err, ERR_BROKER_UNAVAILABLE, "away") : 0;
}

int publisher_check(struct publisher *publisher, struct err *err)
{
    (void)publisher;
    pthread_mutex_lock(&fake_publisher.lock);
    bool away = fake_publisher.away;
    pthread_mutex_unlock(&fake_publisher.lock);
    return away ? err_set(err, ERR_BROKER_UNAVAILABLE, "away") : 0;
}

#endif
