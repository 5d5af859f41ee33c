/* The publisher between many senders and a broker that does everything a broker may do: every
 * ticket is answered once, and what was confirmed is there. */
#include "common/publisher.h"

#include "stress.h"

#include "fake_clock.h"
#include "fake_link.h"

enum {
    SPEED = 10,
    SENDERS = 4,
    BATCHES = 3000,
    BATCH_MAX = 40,
    SENT_MAX = SENDERS * BATCHES * (BATCH_MAX + 1)
};
#define JOB "01JD3ZZZZZ0123456789ABCDEF"

/* A ticket and what became of it. */
struct sent {
    atomic_int answers;
    atomic_bool confirmed, routed; /* routed: the broker took it, at least once */
};
static struct sent sent[SENT_MAX];
/* Letters to the dead, which number themselves as tickets do. */
static struct {
    struct dead_letter letter;
    char body[32];
} letters[SENDERS * BATCHES];
static atomic_int letters_len;
static atomic_int sent_len, overloads, depths;

static void on_routed(int ticket)
{
    atomic_store(&sent[ticket].routed, true);
}

static void on_answer(void *arg, bool confirmed)
{
    struct sent *ticket = arg;
    CHECK_INT(atomic_fetch_add(&ticket->answers, 1), 0);
    atomic_store(&ticket->confirmed, confirmed);
}

static struct publisher *publisher;

static void bury(void)
{
    struct err err = {0};
    int number = atomic_fetch_add(&sent_len, 1), at = atomic_fetch_add(&letters_len, 1);
    char *body = letters[at].body;
    struct dead_letter *letter = &letters[at].letter;
    snprintf(body, sizeof letters[at].body, "{\"task\":%d", number);
    *letter = (struct dead_letter){.body = body,
                                   .len = strlen(body),
                                   .bytes = 1 << 20,
                                   .queue = "mediafleet.hello",
                                   .reason = "too large",
                                   .worker = "host.hello.1.1",
                                   .done = on_answer,
                                   .arg = &sent[number]};
    CHECK_INT(publisher_bury(publisher, letter, &err), 0);
}

static void *sender(void *arg)
{
    uint64_t dice = stress_seed((uint64_t)(uintptr_t)arg);
    struct publication batch[BATCH_MAX];
    for (int i = 0; i < BATCHES && !broker_is_done(); i++) {
        struct err err = {0};
        int len = 1 + (int)(dice >> 33) % BATCH_MAX, first = atomic_fetch_add(&sent_len, len);
        for (int k = 0; k < len; k++)
            batch[k] =
                (struct publication){KIND_HELLO, JOB, first + k, on_answer, &sent[first + k]};
        if (publisher_send(publisher, batch, (size_t)len, &err)) {
            CHECK_INT(err.code, ERR_OVERLOADED);
            atomic_fetch_add(&overloads, 1);
        }
        if (stress_chance(&dice, 200))
            bury();
        (void)publisher_connected(publisher), (void)publisher_blocked(publisher);
        usleep(stress_chance(&dice, 100) ? 20000 : 500);
    }
    while (!broker_is_done())
        usleep(1000);
    return NULL;
}

static void *asker(void *ends)
{
    while (!atomic_load((atomic_bool *)ends)) {
        struct queue_depth depth;
        struct err err = {0};
        if (publisher_depth(publisher, KIND_HELLO, &depth, &err) == 0) {
            CHECK_INT(depth.ready, 7);
            atomic_fetch_add(&depths, 1);
        } else {
            CHECK_INT(err.code, ERR_BROKER_UNAVAILABLE);
        }
        if (publisher_check(publisher, &err))
            CHECK_INT(err.code, ERR_BROKER_UNAVAILABLE);
        usleep(500);
    }
    return NULL;
}

/* Every ticket was answered once; whatever was confirmed, the broker has. */
static void check_answers(void)
{
    int confirmed = 0, len = atomic_load(&sent_len);
    for (int i = 0; i < len; i++) {
        CHECK_INT(atomic_load(&sent[i].answers), 1);
        if (atomic_load(&sent[i].confirmed)) {
            CHECK(atomic_load(&sent[i].routed));
            confirmed++;
        }
    }
    CHECK(confirmed > 0);
    CHECK(confirmed < len);
    printf("# %d tickets, %d confirmed; %d connections, %d refused, %d cut; %d nacks, %d returns, "
           "%d blocks\n",
           len, confirmed, broker.connects, broker.refusals, broker.cuts, broker.nacks,
           broker.returns, broker.blocks);
}

static void everything_is_answered_once(void)
{
    pthread_t senders[SENDERS], askers[2], server;
    atomic_bool ends = false;
    struct err err = {0};
    broker.dice = stress_seed(5);
    broker.on_routed = on_routed;
    server = stress_thread(broker_thread, NULL);
    CHECK_INT(publisher_open(&publisher, "amqp://nowhere", "stress", &err), 0);
    for (size_t i = 0; i < 2; i++)
        askers[i] = stress_thread(asker, &ends);
    for (size_t i = 0; i < SENDERS; i++)
        senders[i] = stress_thread(sender, (void *)(uintptr_t)(i + 1));
    stress_join(senders, SENDERS);
    atomic_store(&ends, true);
    stress_join(askers, 2);
    publisher_free(publisher, 2000); /* some are on their way still */
    pthread_mutex_lock(&broker.lock);
    broker.ends = true;
    CHECK(!broker.open);
    pthread_mutex_unlock(&broker.lock);
    pthread_join(server, NULL);
    CHECK(atomic_load(&letters_len) > 0);
    CHECK_INT(atomic_load(&overloads), 0);
    CHECK(atomic_load(&depths) > 0);
    CHECK(broker.cuts > 3 && broker.nacks > 0 && broker.returns > 0 && broker.blocks > 0);
    CHECK(broker.connects > 1 && broker.refusals > 0);
    check_answers();
}

int main(void)
{
    fake_speed = SPEED;
    RUN(everything_is_answered_once);
    return 0;
}
