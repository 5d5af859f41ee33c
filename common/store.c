/* Opening the store: the pool of clients, its timeouts and guarantees, and the readiness check. */
#include "common/store.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/store_call.h"

#define DEFAULT_DATABASE "mediafleet"

static pthread_once_t driver = PTHREAD_ONCE_INIT;

/* The driver can be started and ended once a process, however many stores come and go. */
static void driver_start(void)
{
    mongoc_init();
    mongoc_log_set_handler(NULL, NULL);
    atexit(mongoc_cleanup);
}

/* Majority and journal where the URL does not say otherwise: a 202 must survive a failover. */
static int set_write_concern(mongoc_uri_t *uri, struct err *err)
{
    mongoc_write_concern_t *concern = mongoc_write_concern_copy(mongoc_uri_get_write_concern(uri));
    bool acknowledged = mongoc_write_concern_is_acknowledged(concern);
    if (mongoc_write_concern_get_w(concern) == MONGOC_WRITE_CONCERN_W_DEFAULT)
        mongoc_write_concern_set_w(concern, MONGOC_WRITE_CONCERN_W_MAJORITY);
    if (acknowledged && !mongoc_write_concern_journal_is_set(concern))
        mongoc_write_concern_set_journal(concern, true);
    mongoc_uri_set_write_concern(uri, concern);
    mongoc_write_concern_destroy(concern);
    return acknowledged ? 0 : err_set(err, ERR_CONFIG, "MONGODB_URL: w=0 would lose jobs");
}

static void set_timeouts(mongoc_uri_t *uri, const struct store_settings *settings)
{
    int32_t server = (int32_t)settings->server_timeout_ms;
    int32_t answer = (int32_t)settings->socket_timeout_ms;
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, server);
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_WAITQUEUETIMEOUTMS, server);
    /* A slow server greets as slowly as it answers. */
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_CONNECTTIMEOUTMS, answer);
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_SOCKETTIMEOUTMS, answer);
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_MAXPOOLSIZE, (int32_t)settings->pool_size);
}

/* What was written must be seen by the reading that follows. */
static void set_primary(mongoc_uri_t *uri)
{
    mongoc_read_prefs_t *primary = mongoc_read_prefs_new(MONGOC_READ_PRIMARY);
    mongoc_uri_set_read_prefs_t(uri, primary);
    mongoc_read_prefs_destroy(primary);
}

static void count_command(const mongoc_apm_command_started_t *event)
{
    struct store *store = mongoc_apm_command_started_get_context(event);
    store->commands++;
}

static void note_answer(const mongoc_apm_command_succeeded_t *event)
{
    struct store *store = mongoc_apm_command_succeeded_get_context(event);
    atomic_store_explicit(&store->away, false, memory_order_relaxed);
}

static int open_pool(struct store *store, const mongoc_uri_t *uri, struct err *err)
{
    bson_error_t error;
    store->pool = mongoc_client_pool_new_with_error(uri, &error);
    if (!store->pool)
        return err_set(err, ERR_CONFIG, "MONGODB_URL: %s", error.message);
    mongoc_client_pool_set_error_api(store->pool, MONGOC_ERROR_API_VERSION_2);
    mongoc_apm_callbacks_t *callbacks = mongoc_apm_callbacks_new();
    mongoc_apm_set_command_started_cb(callbacks, count_command);
    mongoc_apm_set_command_succeeded_cb(callbacks, note_answer);
    mongoc_client_pool_set_apm_callbacks(store->pool, callbacks, store);
    mongoc_apm_callbacks_destroy(callbacks);
    return 0;
}

static void store_at(struct store **store)
{
    store_free(*store);
}

static void uri_at(mongoc_uri_t **uri)
{
    mongoc_uri_destroy(*uri);
}

int store_open(struct store **out, const struct store_settings *settings, const char *app,
               struct err *err)
{
    pthread_once(&driver, driver_start);
    /* The driver's own words might repeat a password. */
    CLEANUP(uri_at) mongoc_uri_t *uri = mongoc_uri_new_with_error(settings->url, NULL);
    if (!uri)
        return err_set(err, ERR_CONFIG, "MONGODB_URL: not a mongodb:// URL");
    set_timeouts(uri, settings);
    set_primary(uri);
    mongoc_uri_set_appname(uri, app);
    if (set_write_concern(uri, err) < 0)
        return -1;
    CLEANUP(store_at) struct store *store = calloc(1, sizeof *store);
    if (!store)
        abort();
    const char *database = mongoc_uri_get_database(uri);
    store->database = strdup(database ? database : DEFAULT_DATABASE);
    store->socket_timeout_ms = settings->socket_timeout_ms;
    if (!store->database)
        abort();
    if (open_pool(store, uri, err) < 0)
        return -1;
    *out = TAKE(store);
    return 0;
}

void store_free(struct store *store)
{
    if (!store)
        return;
    mongoc_client_pool_destroy(store->pool);
    free(store->database);
    free(store);
}

int64_t store_commands(const struct store *store)
{
    return store->commands;
}

bool store_away(const struct store *store)
{
    return atomic_load(&store->away);
}

int store_ping(struct store *store, struct err *err)
{
    CLEANUP(store_call_end) struct store_call call;
    CLEANUP(bson_destroy) bson_t command = BSON_INITIALIZER, reply = BSON_INITIALIZER;
    if (store_call_begin(&call, store, err) < 0)
        return -1;
    bson_error_t error;
    bson_iter_t iter;
    BSON_APPEND_INT32(&command, "isMaster", 1);
    int64_t sent_ms = clock_mono_ms();
    bson_destroy(&reply);
    if (!mongoc_client_command_simple(call.client, "admin", &command, NULL, &reply, &error))
        return store_call_fail(&call, &error, err);
    int64_t answered_ms = clock_mono_ms();
    if (!bson_iter_init_find(&iter, &reply, "localTime") || !BSON_ITER_HOLDS_DATE_TIME(&iter))
        return err_set(err, ERR_STORE_UNAVAILABLE, "the store does not tell the time");
    clock_adjust(bson_iter_date_time(&iter), sent_ms + (answered_ms - sent_ms) / 2);
    return 0;
}
