/* One look at the services for all who ask whether the gateway is ready: whoever asks often costs
 * them nothing more. */
#ifndef GATEWAY_READY_H
#define GATEWAY_READY_H

#include "gateway/api.h"
#include "proto/fleet_view.h"

enum { READY_MS = 1000 }; /* how long an answer is good */

struct ready; /* any thread */

struct ready *ready_open(void);
void ready_free(struct ready *ready);
/* The last answer; `look` is asked for a new one by one thread at a time, while others take the
 * last. */
struct readiness ready_ask(struct ready *ready, struct readiness (*look)(void *arg), void *arg);

#endif
