/* A ring of buffers between who fills them and who hashes them. */
#include "worker/download/hasher.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct hasher {
    struct digest *digest;
    char *buffer[HASHER_BUFFERS];
    size_t len[HASHER_BUFFERS];
    size_t added, bytes; /* buffers and bytes so far, the caller's */
    bool threaded;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    size_t ready, hashed; /* buffers: the thread may hash those before `ready` */
    bool ended;
};

struct hasher *hasher_open(void)
{
    struct hasher *hasher = calloc(1, sizeof *hasher);
    if (!hasher)
        abort();
    hasher->digest = digest_begin();
    pthread_mutex_init(&hasher->lock, NULL);
    pthread_cond_init(&hasher->changed, NULL);
    return hasher;
}

static void *run(void *arg)
{
    struct hasher *hasher = arg;
    pthread_mutex_lock(&hasher->lock);
    for (;;) {
        while (hasher->hashed == hasher->ready && !hasher->ended)
            pthread_cond_wait(&hasher->changed, &hasher->lock);
        if (hasher->hashed == hasher->ready)
            break;
        size_t at = hasher->hashed % HASHER_BUFFERS;
        pthread_mutex_unlock(&hasher->lock);
        digest_add(hasher->digest, hasher->buffer[at], hasher->len[at]);
        pthread_mutex_lock(&hasher->lock);
        hasher->hashed++;
        pthread_cond_signal(&hasher->changed);
    }
    pthread_mutex_unlock(&hasher->lock);
    return NULL;
}

/* Without a thread (there may be too many) it goes on as it began. */
static void start_thread(struct hasher *hasher)
{
    hasher->ready = hasher->hashed = hasher->added;
    hasher->threaded = pthread_create(&hasher->thread, NULL, run, hasher) == 0;
}

char *hasher_buffer(struct hasher *hasher)
{
    size_t at = hasher->threaded ? hasher->added % HASHER_BUFFERS : 0;
    if (hasher->threaded) {
        pthread_mutex_lock(&hasher->lock);
        while (hasher->added - hasher->hashed >= HASHER_BUFFERS)
            pthread_cond_wait(&hasher->changed, &hasher->lock);
        pthread_mutex_unlock(&hasher->lock);
    }
    if (!hasher->buffer[at] && !(hasher->buffer[at] = malloc(HASHER_BYTES)))
        abort();
    return hasher->buffer[at];
}

void hasher_add(struct hasher *hasher, size_t len)
{
    hasher->bytes += len;
    if (!hasher->threaded) {
        digest_add(hasher->digest, hasher->buffer[0], len);
        if (hasher->bytes >= HASHER_ALONE)
            start_thread(hasher);
        return;
    }
    hasher->len[hasher->added++ % HASHER_BUFFERS] = len;
    pthread_mutex_lock(&hasher->lock);
    hasher->ready = hasher->added;
    pthread_cond_signal(&hasher->changed);
    pthread_mutex_unlock(&hasher->lock);
}

void hasher_end(struct hasher *hasher, uint8_t out[DIGEST_LEN])
{
    if (hasher->threaded) {
        pthread_mutex_lock(&hasher->lock);
        hasher->ended = true;
        pthread_cond_signal(&hasher->changed);
        pthread_mutex_unlock(&hasher->lock);
        pthread_join(hasher->thread, NULL);
    }
    digest_end(hasher->digest, out);
    pthread_cond_destroy(&hasher->changed);
    pthread_mutex_destroy(&hasher->lock);
    for (size_t i = 0; i < HASHER_BUFFERS; i++)
        free(hasher->buffer[i]);
    free(hasher);
}
