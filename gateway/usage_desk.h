/* Who asks for a new scan of the bucket waits here, and no thread with him: one scan answers all,
 * and of all gateways one scans. */
#ifndef GATEWAY_USAGE_DESK_H
#define GATEWAY_USAGE_DESK_H

#include "gateway/api.h"

struct usage_desk; /* a thread of its own */

/* services must outlive it. */
struct usage_desk *usage_desk_open(struct services *services);
/* Everybody must have been answered, as draining makes sure. NULL is fine. */
void usage_desk_free(struct usage_desk *desk);
/* The request is the desk's from now on, which calls request->done: with a scan later than the one
 * whose scanned_at is `known_at`. No clock is asked: gateways' differ. -1: too many wait. */
int usage_desk_park(struct usage_desk *desk, struct request *request, int64_t known_at,
                    struct err *err);

#endif
