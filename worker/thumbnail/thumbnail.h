/* The thumbnail handler: a JPEG in three sizes of whatever was downloaded. */
#ifndef WORKER_THUMBNAIL_THUMBNAIL_H
#define WORKER_THUMBNAIL_THUMBNAIL_H

#include "worker/worker.h"

/* worker_handler of KIND_THUMBNAIL; needs the task "download". Fails with ERR_NO_VIDEO_STREAM where
 * there is nothing to see: the task is optional. */
worker_handler thumbnail_handle;
/* Once in each process. */
int thumbnail_open(const void *settings, struct err *err);

#endif
