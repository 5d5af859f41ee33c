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

/* Headers that every answer carries: X-Request-Id, CORS. */
void gate_finish(const struct services *services, struct request *request);

#endif
