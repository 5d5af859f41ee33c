/* Tickets that nobody can read: to the dead-letter queue, with the reason. Inside worker/ only. */
#ifndef WORKER_DEAD_H
#define WORKER_DEAD_H

#include "worker/runtime.h"

/* Publishes it with what is wrong with it. It is acknowledged when the broker has confirmed that;
 * where it does not, the broker is told to move it there itself, without our reason. The consumer's
 * thread, both. */
void dead_bury(struct runtime *runtime, const struct delivery *delivery, const struct err *why);
void dead_acknowledge(struct runtime *runtime);

#endif
