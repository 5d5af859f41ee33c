/* The transcode handler: the downloaded file becomes an HLS asset in the run's directory. */
#ifndef WORKER_TRANSCODE_TRANSCODE_H
#define WORKER_TRANSCODE_TRANSCODE_H

#include "worker/worker.h"

/* worker_handler of KIND_TRANSCODE; needs the task "download". A picture succeeds with an empty
 * result. */
worker_handler transcode_handle;
/* Once in each process. */
int transcode_open(const void *settings, struct err *err);

#endif
