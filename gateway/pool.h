/* A fixed number of threads for handlers that wait for the store or the bucket. */
#ifndef GATEWAY_POOL_H
#define GATEWAY_POOL_H

#include <stdbool.h>

#include "gateway/request.h"

struct pool;

/* run is called on a pool thread with the thread's number (0 … threads - 1). At most queue_limit
 * requests wait. */
struct pool *pool_open(int threads, int queue_limit,
                       void (*run)(void *arg, int thread, struct request *request), void *arg);
/* Runs what waits, then ends the threads. */
void pool_free(struct pool *pool);
/* Any thread. false: the queue is full. */
bool pool_push(struct pool *pool, struct request *request);

#endif
