/* The parent of a worker's processes. Inside worker/ only. */
#ifndef WORKER_SUPERVISE_H
#define WORKER_SUPERVISE_H

#include "worker/runtime.h"

/* Keeps config->worker.processes children alive, each runtime_run; a child that dies is replaced after a pause that
 * doubles from 0.1 s to 10 s while they keep dying young. SIGTERM and SIGINT are forwarded. Returns the exit code: 0 after
 * a stop, 78 when a child found the configuration unusable. Opens no library: children are forked from a bare process. */
int supervise(const struct worker *worker, const struct worker_config *config);

#endif
