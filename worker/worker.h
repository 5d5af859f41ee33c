/* What a worker program is: a kind and a handler from one document to another. */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include "common/err.h"
#include "proto/kind.h"
#include "worker/run.h"

/* params and result are structs of kinds[kind].params and .result. The handler may take as long as its timeout_s, asks
 * run_stopped at least once a second, leaves files only in run_dir, and sets nothing global. On -1 err's class decides
 * about a retry; result is then ignored. Runs on one of --slots threads. */
typedef int worker_handler(struct run *run, const void *params, void *result, struct err *err);

struct worker {
    enum kind kind;
    worker_handler *handle;
    const struct doc *settings; /* the kind's own settings, or NULL */
    /* Once in each process before the first task, given the settings struct; -1 is fatal. May be NULL. */
    int (*open)(const void *settings, struct err *err);
};

/* main of every worker program: settings → check → fork → consume → drain. Returns the exit code. */
int worker_main(const struct worker *worker, int argc, char **argv);

#endif
