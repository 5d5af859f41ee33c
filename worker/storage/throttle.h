/* Holds transfers to so many bytes a second. */
#ifndef WORKER_STORAGE_THROTTLE_H
#define WORKER_STORAGE_THROTTLE_H

#include "worker/run.h"

/* Zero, with run and rate filled, is ready for use. One thread's. */
struct throttle {
    struct run *run;
    int64_t rate_bytes; /* 0: as fast as it goes */
    int64_t free_mono;  /* when what was counted so far may have been sent */
};

/* Counts what was sent (less than 0: taken back), and waits until there is room for more, or the run is stopped. */
void throttle_count(struct throttle *throttle, int64_t bytes);

#endif
