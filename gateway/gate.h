/* What every request passes before its handler, and how its handler is run. */
#ifndef GATEWAY_GATE_H
#define GATEWAY_GATE_H

#include "gateway/api.h"
#include "gateway/pool.h"

/* On the lane's thread. true: request->reply is ready; false: request->done will be called, once.
 */
bool gate_pass(struct api *api, struct pool *pool, struct request *request);

/* On a pool's thread: what gate_pass put there. Ends with request->done. */
void gate_run(struct api *api, struct request *request);

/* The error of a request that is not answered in REQUEST_ANSWER_MS, and whether its lane is to tell
 * that in time. */
void gate_late(const struct services *services, struct err *err);
bool gate_is_watched(const struct request *request);

/* Headers that every answer carries: X-Request-Id, CORS. */
void gate_finish(const struct services *services, struct request *request);

#endif
