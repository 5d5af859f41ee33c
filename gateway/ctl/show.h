/* What mediafleetctl prints: answers as lines and tables for people. */
#ifndef GATEWAY_CTL_SHOW_H
#define GATEWAY_CTL_SHOW_H

#include <stdio.h>

#include "proto/answer.h"
#include "proto/fleet_view.h"
#include "proto/scene_view.h"

/* What comes from outside is printed without control characters: it may be what a stranger wrote.
 */
void show_accepted(FILE *out, const struct accepted *accepted);
void show_job(FILE *out, const struct job_view *job);
void show_jobs(FILE *out, const struct job_page *page);
void show_workers(FILE *out, const struct worker_page *page);
void show_queues(FILE *out, const struct queue_page *page);

/* One line without its end: "45 %  transcode+thumbnail  attempt 1/2  segment 7". */
void show_progress(FILE *out, const struct job_view *job);
/* "succeeded", or "failed: source-not-found: HTTP 404 (download)". */
void show_end(FILE *out, const struct job_view *job);
/* For one string of an answer; NULL prints as "-". */
void show_text(FILE *out, const char *text);

#endif
