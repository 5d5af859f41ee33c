/* Requests that others work on, the oldest first: each is to be answered in time, whatever it waits for. Belongs to the
 * lane's thread. */
#ifndef GATEWAY_SERVER_LATE_H
#define GATEWAY_SERVER_LATE_H

#include <event2/event.h>

#include "common/err.h"
#include "gateway/server_slots.h"

struct late;

/* expire: called with a slot whose REQUEST_ANSWER_MS have passed; it is watched no more. */
int late_open(struct late **out, struct event_base *base, void (*expire)(struct slot *slot), struct err *err);
void late_free(struct late *late);

void late_watch(struct late *late, struct slot *slot);
/* Nothing happens if it is not watched. */
void late_forget(struct late *late, struct slot *slot);

#endif
