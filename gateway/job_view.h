/* How a job looks to a client: pure. */
#ifndef GATEWAY_JOB_VIEW_H
#define GATEWAY_JOB_VIEW_H

#include "common/arena.h"
#include "proto/answer.h"

/* whole: with tasks, result and log. Shares the job's strings. */
void job_view_fill(const struct job *job, bool whole, struct arena *arena, struct job_view *out);

/* A strong ETag of the whole view: changes with the revision and with what pulses write without
 * one. */
const char *job_view_etag(const struct job *job, struct arena *arena);

/* Whether an If-None-Match header (or NULL) names the ETag; weak ones count. */
bool job_view_etag_matches(const char *if_none_match, const char *etag);

#endif
