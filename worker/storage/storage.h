/* The handler of storage tasks, and the actions that it chooses from. */
#ifndef WORKER_STORAGE_STORAGE_H
#define WORKER_STORAGE_STORAGE_H

#include "proto/storage_job.h"
#include "worker/worker.h"

/* By the task's action. ERR_INVALID_VALUE if this program does not know it (it is older than the gateway). */
worker_handler storage;

/* Each takes a struct storage_params and fills a struct storage_result. */
worker_handler storage_reconcile, storage_migrate, storage_duplicates, storage_expire;

#endif
