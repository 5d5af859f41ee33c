/* download: a URL becomes a file in the workspace. */
#ifndef WORKER_DOWNLOAD_DOWNLOAD_H
#define WORKER_DOWNLOAD_DOWNLOAD_H

#include "common/http_guard.h"
#include "proto/settings.h"
#include "worker/worker.h"

/* struct download_params → struct download_result; settings: struct egress_settings. */
worker_handler download_handle;
/* ERR_CONFIG: the settings name something that is no address range or port. */
int download_open(const void *settings, struct err *err);

/* The egress policy of the settings; lists in the arena. */
int download_policy(const struct egress_settings *settings, struct arena *arena,
                    struct http_policy *out, struct err *err);
/* "12.3 of 45.6 MB", or "12.3 MB" while nobody knows the total. */
const char *download_message(int64_t bytes, int64_t total, char *out, size_t size);

#endif
