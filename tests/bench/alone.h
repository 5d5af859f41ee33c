/* A task's run without a fleet around it: settings from the environment, no store, no broker, no leases. For drivers. */
#ifndef BENCH_ALONE_H
#define BENCH_ALONE_H

#include "worker/held.h"

struct alone {
    struct arena arena;
    struct worker_config config;
    struct egress_settings egress;
    struct runtime runtime;
};

/* Prints what is wrong in the environment; -1. */
int alone_open(struct alone *alone, const char *workspace);
void alone_close(struct alone *alone);
/* The run of a job's task, in a slot of the caller's; run_free. Any thread. */
struct run *alone_run(struct alone *alone, struct slot *slot, struct job *job, size_t task);

#endif
