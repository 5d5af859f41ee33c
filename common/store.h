/* The one door to MongoDB: jobs by claim, swap and pulse; every other record by its document table.
 *
 * A store is opened after any fork; any thread may call it (each call borrows a client of the
 * pool). Every wait is bounded by the settings: server_timeout_ms for a free client and for a server,
 * socket_timeout_ms for a connection and for an answer. All failures to reach the server are
 * ERR_STORE_UNAVAILABLE. Where a connection breaks after the request was sent, the outcome is
 * unknown: a call that has half of socket_timeout_ms left sends it once more (filters let no write
 * take effect twice), then reads and decides, so that an answer is always true; else it fails, and
 * what it did is unknown. store_commands() counts the commands sent, for tests of the round trips.
 */
#ifndef COMMON_STORE_H
#define COMMON_STORE_H

#include "common/err.h"
#include "common/store_due.h"
#include "common/store_jobs.h"
#include "common/store_records.h"
#include "common/store_sum.h"
#include "proto/settings.h"

struct store;

int store_open(struct store **out, const struct store_settings *settings, const char *app,
               struct err *err);
void store_free(struct store *store);
/* Asks the server for its time (isMaster.localTime) and tells common/clock. Also the readiness
 * check. */
int store_ping(struct store *store, struct err *err);
/* Creates the indexes of every collection; harmless when they exist. */
int store_prepare(struct store *store, struct err *err);
int64_t store_commands(const struct store *store);
/* What the last call that was answered, or waited in vain, said of the server. */
bool store_away(const struct store *store);

#endif
