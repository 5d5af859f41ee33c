/* Inside the store: one call with its borrowed client, and what the driver's errors mean. For
 * common/store*.c only. */
#ifndef COMMON_STORE_CALL_H
#define COMMON_STORE_CALL_H

#include <mongoc/mongoc.h>
#include <stdatomic.h>

#include "common/cleanup.h"
#include "common/store.h"

#define JOBS "jobs"

struct store {
    mongoc_client_pool_t *pool;
    char *database;
    int64_t socket_timeout_ms;
    _Atomic int64_t commands;
    atomic_bool away; /* the last word about the server: it did not answer */
};

/* CLEANUP(store_call_end) struct store_call call; then store_call_begin. */
struct store_call {
    struct store *store;
    mongoc_client_t *client; /* NULL: nothing to give back */
    int64_t began_ms;
    bool repeated; /* a connection broke, and the write was sent a second time */
};
int store_call_begin(struct store_call *call, struct store *store, struct err *err);
void store_call_end(struct store_call *call);
/* The caller destroys it: CLEANUP(collection_at). */
mongoc_collection_t *store_call_collection(struct store_call *call, const char *name);

/* Whether to send a write again that can take effect only once, because its filter does not match
 * afterwards, or that may be done twice: true once a call, if the connection broke and half of the
 * socket's timeout is left. What the two did together is then found out by reading. */
bool store_call_again(struct store_call *call, const bson_error_t *error);
/* -1: the server refused our document is ERR_INTERNAL, everything else is ERR_STORE_UNAVAILABLE. */
int store_call_fail(struct store_call *call, const bson_error_t *error, struct err *err);

static inline void arena_at(struct arena *arena)
{
    arena_release(arena);
}
static inline void collection_at(mongoc_collection_t **collection)
{
    mongoc_collection_destroy(*collection);
}
#endif
