/* Follows one job to its end: a bar on a terminal, plain lines elsewhere. */
#ifndef GATEWAY_CTL_WATCH_H
#define GATEWAY_CTL_WATCH_H

#include "gateway/ctl/client.h"
#include "proto/job.h"

struct watch {
    const char *job;
    bool json;         /* each change as a line of JSON instead */
    bool quiet;        /* nothing is printed */
    int64_t timeout_s; /* 0: as long as a job may live */
};

/* Prints to stdout until the job has ended and tells how. -1: it could not be asked any more, or
 * took longer. */
int watch_run(struct client *client, const struct watch *watch, enum job_state *end,
              struct err *err);

#endif
