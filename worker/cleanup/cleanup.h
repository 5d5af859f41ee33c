/* The handler of cleanup tasks. */
#ifndef WORKER_CLEANUP_CLEANUP_H
#define WORKER_CLEANUP_CLEANUP_H

#include "worker/worker.h"

worker_handler cleanup;

#endif
