/* Follows a file that grows, some steps behind who writes it. */
#include "worker/download/hasher.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

struct hasher {
    struct digest *digest;
    int fd;
    int64_t added; /* bytes in the file, the caller's */
    bool threaded;
    pthread_t thread;
    int failed;           /* errno of the thread, to be looked at when it has ended */
    int64_t hashed;       /* the thread's, once there is one */
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    int64_t ready; /* the thread may hash what is before it; written by the caller only, who reads
                      it as it likes */
    bool ended;
};

struct hasher *hasher_open(int fd)
{
    struct hasher *hasher = calloc(1, sizeof *hasher);
    if (!hasher)
        abort();
    hasher->fd = fd;
    hasher->digest = digest_begin();
    pthread_mutex_init(&hasher->lock, NULL);
    pthread_cond_init(&hasher->changed, NULL);
    return hasher;
}

/* Waits for more than has been hashed: up to where; what has been hashed is the end. */
static int64_t await(struct hasher *hasher)
{
    pthread_mutex_lock(&hasher->lock);
    while (hasher->hashed == hasher->ready && !hasher->ended)
        pthread_cond_wait(&hasher->changed, &hasher->lock);
    int64_t ready = hasher->ready;
    pthread_mutex_unlock(&hasher->lock);
    return ready;
}

static void *run(void *arg)
{
    struct hasher *hasher = arg;
    char bytes[HASHER_BYTES];
    for (int64_t ready; (ready = await(hasher)) > hasher->hashed;) {
        while (hasher->hashed < ready) {
            int64_t left = ready - hasher->hashed;
            size_t want = left < HASHER_BYTES ? (size_t)left : HASHER_BYTES;
            ssize_t got = pread(hasher->fd, bytes, want, hasher->hashed);
            if (got <= 0) {
                hasher->failed = got < 0 ? errno : EIO;
                return NULL;
            }
            digest_add(hasher->digest, bytes, (size_t)got);
            hasher->hashed += got;
        }
    }
    return NULL;
}

static void tell(struct hasher *hasher, bool ended)
{
    pthread_mutex_lock(&hasher->lock);
    hasher->ready = hasher->added;
    hasher->ended = ended;
    pthread_cond_signal(&hasher->changed);
    pthread_mutex_unlock(&hasher->lock);
}

/* Without a thread (there may be too many) it goes on as it began. */
static void start_thread(struct hasher *hasher)
{
    hasher->hashed = hasher->ready = hasher->added;
    hasher->threaded = pthread_create(&hasher->thread, NULL, run, hasher) == 0;
}

void hasher_add(struct hasher *hasher, const void *bytes, size_t len)
{
    hasher->added += (int64_t)len;
    if (hasher->threaded) {
        if (hasher->added - hasher->ready >= HASHER_STEP)
            tell(hasher, false);
        return;
    }
    digest_add(hasher->digest, bytes, len);
    if (hasher->added >= HASHER_ALONE)
        start_thread(hasher);
}

static void join(struct hasher *hasher)
{
    if (!hasher->threaded)
        return;
    tell(hasher, true);
    pthread_join(hasher->thread, NULL);
    hasher->threaded = false;
}

int hasher_end(struct hasher *hasher, uint8_t out[DIGEST_LEN], struct err *err)
{
    join(hasher);
    int failed = hasher->failed;
    digest_end(hasher->digest, out);
    hasher->digest = NULL;
    hasher_free(hasher);
    return failed ? err_errno(err, failed, "read the source's file") : 0;
}

void hasher_free(struct hasher *hasher)
{
    if (!hasher)
        return;
    hasher->added = hasher->ready; /* what the thread does not know of yet need not be hashed */
    join(hasher);
    if (hasher->digest)
        digest_end(hasher->digest, NULL);
    pthread_cond_destroy(&hasher->changed);
    pthread_mutex_destroy(&hasher->lock);
    free(hasher);
}
