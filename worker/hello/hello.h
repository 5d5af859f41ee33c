/* The handler of hello tasks. */
#ifndef WORKER_HELLO_HELLO_H
#define WORKER_HELLO_HELLO_H

#include "worker/worker.h"

worker_handler hello;

#endif
