/* One call to the store: its client, its bulk of writes or its reading, and whether a broken one is
 * sent again. */
#include "common/store_call.h"

#include "common/clock.h"

int store_call_begin(struct store_call *call, struct store *store, struct err *err)
{
    *call = (struct store_call){.store = store, .began_ms = clock_mono_ms()};
    call->client = mongoc_client_pool_pop(store->pool);
    if (call->client)
        return 0;
    atomic_store(&store->away, true);
    return err_set(err, ERR_STORE_UNAVAILABLE, "no connection to the store became free");
}

void store_call_end(struct store_call *call)
{
    if (call->client)
        mongoc_client_pool_push(call->store->pool, call->client);
}

mongoc_collection_t *store_call_collection(struct store_call *call, const char *name)
{
    return mongoc_client_get_collection(call->client, call->store->database, name);
}

/* The server's own words for "not now": shutdowns, elections, lost connections behind a mongos,
 * missing rights. */
static bool server_is_unavailable(uint32_t code)
{
    static const uint32_t codes[] = {6,   7,   13,   18,    50,    64,    89,    91,
                                     189, 262, 9001, 10107, 11600, 11602, 13435, 13436};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i] == code)
            return true;
    return false;
}

bool store_call_again(struct store_call *call, const bson_error_t *error)
{
    bool broke = error->domain == MONGOC_ERROR_STREAM ||
                 (error->domain == MONGOC_ERROR_SERVER && server_is_unavailable(error->code));
    if (!broke || call->repeated ||
        clock_mono_ms() - call->began_ms > call->store->socket_timeout_ms / 2)
        return false;
    call->repeated = true;
    return true;
}

int store_call_fail(struct store_call *call, const bson_error_t *error, struct err *err)
{
    bool ours = error->domain == MONGOC_ERROR_COMMAND || error->domain == MONGOC_ERROR_BSON ||
                (error->domain == MONGOC_ERROR_SERVER && !server_is_unavailable(error->code));
    if (!ours)
        atomic_store(&call->store->away, true);
    return err_set(err, ours ? ERR_INTERNAL : ERR_STORE_UNAVAILABLE, "store: %s", error->message);
}
