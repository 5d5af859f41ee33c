/* The handler of upload tasks. */
#ifndef WORKER_UPLOAD_UPLOAD_H
#define WORKER_UPLOAD_UPLOAD_H

#include "worker/worker.h"

worker_handler upload;

#endif
