/* A linked queue under one lock: a request costs a store's round trip anyway. */
#include "gateway/pool.h"

#include <pthread.h>
#include <stdlib.h>

struct worker {
    struct pool *pool;
    pthread_t thread;
    int number;
};
struct pool {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct request *first, **last;
    int waiting, limit, threads;
    bool closing;
    void (*run)(void *arg, int thread, struct request *request);
    void *arg;
    struct worker *workers;
};

static struct request *next_request(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    while (!pool->first && !pool->closing)
        pthread_cond_wait(&pool->more, &pool->lock);
    struct request *request = pool->first;
    if (request) {
        pool->first = request->next;
        pool->waiting -= 1;
        if (!pool->first)
            pool->last = &pool->first;
    }
    pthread_mutex_unlock(&pool->lock);
    return request;
}

static void *work(void *arg)
{
    struct worker *worker = arg;
    struct pool *pool = worker->pool;
    for (struct request *request; (request = next_request(pool));)
        pool->run(pool->arg, worker->number, request);
    return NULL;
}

struct pool *pool_open(int threads, int queue_limit,
                       void (*run)(void *arg, int thread, struct request *request), void *arg)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (!pool || !(pool->workers = calloc((size_t)threads, sizeof *pool->workers)))
        abort();
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->more, NULL);
    pool->last = &pool->first;
    pool->limit = queue_limit;
    pool->run = run;
    pool->arg = arg;
    for (pool->threads = 0; pool->threads < threads; pool->threads++) {
        struct worker *worker = &pool->workers[pool->threads];
        *worker = (struct worker){.pool = pool, .number = pool->threads};
        if (pthread_create(&worker->thread, NULL, work, worker))
            abort();
    }
    return pool;
}

void pool_free(struct pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    pthread_cond_broadcast(&pool->more);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->threads; i++)
        pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->more);
    pthread_mutex_destroy(&pool->lock);
    free(pool->workers);
    free(pool);
}

bool pool_push(struct pool *pool, struct request *request)
{
    pthread_mutex_lock(&pool->lock);
    bool room = pool->waiting < pool->limit;
    if (room) {
        request->next = NULL;
        *pool->last = request;
        pool->last = &request->next;
        pool->waiting += 1;
        pthread_cond_signal(&pool->more);
    }
    pthread_mutex_unlock(&pool->lock);
    return room;
}
