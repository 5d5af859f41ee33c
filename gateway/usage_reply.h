/* What is answered about the bucket's usage. */
#ifndef GATEWAY_USAGE_REPLY_H
#define GATEWAY_USAGE_REPLY_H

#include "gateway/request.h"
#include "proto/bucket_usage.h"
#include "proto/settings.h"

/* The last scan, with what it costs. */
void usage_reply(struct request *request, const struct gateway_settings *settings,
                 const struct bucket_usage *usage);
/* {"success": false, code, detail} for what is wrong with the bucket, a problem for all else. */
void usage_reply_failure(struct request *request, const struct err *err);

#endif
