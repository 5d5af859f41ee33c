/* Waiting for the broker without holding up the next batch: a list ordered by deadline, and a
 * thread. */
#include "gateway/commit_wait.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/id.h"
#include "proto/transition.h"

/* Lives until it is answered and the publisher has called back for each of its tickets, which may
 * be much later. */
struct entry {
    struct commit_wait *wait;
    struct entry *previous, *next; /* in `waiting`, or by next in `ready` */
    struct commit *commit;         /* NULL once answered */
    char job_id[ID_ULID_LEN + 1], scene[ID_OID_LEN + 1];
    int64_t answer_by_ms;
    size_t tickets; /* that the publisher has not called back for */
    bool unconfirmed, is_ready;
};

struct commit_wait {
    struct publisher *publisher;
    pthread_t thread;
    pthread_mutex_t mutex; /* of all below, and of entries */
    pthread_cond_t changed;
    struct entry *first, *last; /* waiting, the earliest deadline first */
    struct entry *ready;        /* to be answered now, the last one first */
    size_t alive;               /* entries that exist */
    bool closing, closed;       /* closed: the last entry frees this */
};

static void copy_text(char *out, size_t room, const char *text)
{
    size_t len = strnlen(text, room - 1);
    memcpy(out, text, len);
    out[len] = '\0';
}

static void append(struct commit_wait *wait, struct entry *entry)
{
    if (!wait->first)
        pthread_cond_signal(&wait->changed);
    entry->previous = wait->last;
    *(wait->last ? &wait->last->next : &wait->first) = entry;
    wait->last = entry;
}

static void make_ready(struct commit_wait *wait, struct entry *entry)
{
    *(entry->previous ? &entry->previous->next : &wait->first) = entry->next;
    *(entry->next ? &entry->next->previous : &wait->last) = entry->previous;
    entry->next = wait->ready;
    entry->is_ready = true;
    wait->ready = entry;
    if (!entry->next)
        pthread_cond_signal(&wait->changed);
}

static void destroy(struct commit_wait *wait)
{
    pthread_cond_destroy(&wait->changed);
    pthread_mutex_destroy(&wait->mutex);
    free(wait);
}

/* Under the mutex; true when the caller has to destroy `wait`, after unlocking. */
static bool drop_if_over(struct commit_wait *wait, struct entry *entry)
{
    if (entry->commit || entry->tickets > 0)
        return false;
    free(entry);
    return --wait->alive == 0 && wait->closed;
}

/* From the publisher's thread. */
static void on_ticket(void *arg, bool confirmed)
{
    struct entry *entry = arg;
    struct commit_wait *wait = entry->wait;
    pthread_mutex_lock(&wait->mutex);
    entry->tickets--;
    entry->unconfirmed |= !confirmed;
    if (!entry->is_ready && entry->tickets == 0)
        make_ready(wait, entry);
    bool over = drop_if_over(wait, entry);
    pthread_mutex_unlock(&wait->mutex);
    if (over)
        destroy(wait);
}

/* Sleeps until something is ready; false when there is nothing to wait for any more. */
static bool await_ready(struct commit_wait *wait)
{
    while (!wait->ready) {
        if (!wait->first && wait->closing)
            return false;
        if (!wait->first) {
            pthread_cond_wait(&wait->changed, &wait->mutex);
        } else if (wait->first->answer_by_ms <= clock_mono_ms()) {
            make_ready(wait, wait->first);
        } else {
            int64_t ms = wait->first->answer_by_ms;
            const struct timespec until = {ms / 1000, ms % 1000 * 1000000};
            pthread_cond_timedwait(&wait->changed, &wait->mutex, &until);
        }
    }
    return true;
}

/* What the publisher does to the entry meanwhile is to be read under the mutex. */
struct answer {
    struct entry *entry;
    struct commit *commit;
    bool queued;
};

static size_t take_answers(struct commit_wait *wait, struct answer *out, size_t len)
{
    size_t count = 0;
    for (; wait->ready && count < len; count++) {
        struct entry *entry = wait->ready;
        wait->ready = entry->next;
        out[count] = (struct answer){entry, entry->commit, !entry->tickets && !entry->unconfirmed};
    }
    return count;
}

static void give(const struct answer *answer)
{
    const struct commit_result result = {.job_id = answer->entry->job_id,
                                         .scene =
                                             *answer->entry->scene ? answer->entry->scene : NULL,
                                         .queued = answer->queued};
    answer->commit->done(answer->commit->arg, &result);
}

static void *run(void *arg)
{
    struct commit_wait *wait = arg;
    struct answer answers[COMMIT_BATCH];
    pthread_mutex_lock(&wait->mutex);
    while (await_ready(wait)) {
        size_t count = take_answers(wait, answers, COMMIT_BATCH);
        pthread_mutex_unlock(&wait->mutex);
        for (size_t i = 0; i < count; i++)
            give(&answers[i]);
        pthread_mutex_lock(&wait->mutex);
        for (size_t i = 0; i < count; i++) {
            answers[i].entry->commit = NULL;
            (void)drop_if_over(wait, answers[i].entry); /* not closed while this thread runs */
        }
    }
    pthread_mutex_unlock(&wait->mutex);
    return NULL;
}

int commit_wait_open(struct commit_wait **out, struct publisher *publisher, struct err *err)
{
    struct commit_wait *wait = calloc(1, sizeof *wait);
    if (!wait)
        abort();
    wait->publisher = publisher;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&wait->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&wait->mutex, NULL);
    int failed = pthread_create(&wait->thread, NULL, run, wait);
    if (failed) {
        destroy(wait);
        return err_errno(err, failed, "start the committer's answers");
    }
    *out = wait;
    return 0;
}

void commit_wait_free(struct commit_wait *wait)
{
    pthread_mutex_lock(&wait->mutex);
    wait->closing = true;
    pthread_cond_signal(&wait->changed);
    pthread_mutex_unlock(&wait->mutex);
    pthread_join(wait->thread, NULL);
    pthread_mutex_lock(&wait->mutex);
    wait->closed = true;
    bool over = wait->alive == 0;
    pthread_mutex_unlock(&wait->mutex);
    if (over)
        destroy(wait);
}

static struct entry *new_entry(struct commit_wait *wait, const struct commit_item *item,
                               size_t tickets)
{
    struct entry *entry = calloc(1, sizeof *entry);
    if (!entry)
        abort();
    *entry = (struct entry){.wait = wait, .commit = item->commit, .tickets = tickets};
    entry->answer_by_ms = clock_mono_ms() + COMMIT_CONFIRM_MS;
    copy_text(entry->job_id, sizeof entry->job_id, item->result.job_id);
    if (item->result.scene)
        copy_text(entry->scene, sizeof entry->scene, item->result.scene);
    return entry;
}

/* Adds the job's due tickets to `out`; their number. */
static size_t due_tickets(const struct job *job, int64_t now, struct publication *out)
{
    size_t count = 0;
    for (size_t i = 0; i < job->tasks.len; i++)
        if (job_due(job, i, now))
            out[count++] = (struct publication){
                .kind = job->tasks.at[i].kind, .task = (int64_t)i, .done = on_ticket};
    return count;
}

static void publish(struct commit_wait *wait, const struct publication *tickets, size_t len)
{
    struct err err = {0};
    if (len == 0 || publisher_send(wait->publisher, tickets, len, &err) == 0)
        return;
    /* No room at the publisher: the answers say so, and the alarms publish. */
    for (size_t i = 0; i < len; i++)
        on_ticket(tickets[i].arg, false);
}

void commit_wait_add(struct commit_wait *wait, const struct commit_item *items, size_t len,
                     int64_t now, struct arena *arena)
{
    size_t room = 0, count = 0;
    for (size_t i = 0; i < len; i++)
        room += items[i].job->tasks.len;
    struct publication *tickets = arena_alloc_array(arena, room, sizeof *tickets);
    for (size_t i = 0; i < len; i++) {
        struct commit_result result = items[i].result;
        size_t due = result.err.code == ERR_NONE && !result.existing
                         ? due_tickets(items[i].job, now, tickets + count)
                         : 0;
        if (due == 0) {
            items[i].commit->done(items[i].commit->arg, &result);
            continue;
        }
        struct entry *entry = new_entry(wait, &items[i], due);
        for (size_t end = count + due; count < end; count++) {
            tickets[count].arg = entry;
            tickets[count].job =
                entry->job_id; /* the commit's may be gone by the time of sending */
        }
        pthread_mutex_lock(&wait->mutex);
        wait->alive++;
        append(wait, entry);
        pthread_mutex_unlock(&wait->mutex);
    }
    publish(wait, tickets, count);
}
