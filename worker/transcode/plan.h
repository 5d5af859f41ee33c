/* What will be made of a film: its rate, its renditions, which of them is copied, where they are
 * cut. */
#ifndef WORKER_TRANSCODE_PLAN_H
#define WORKER_TRANSCODE_PLAN_H

#include "worker/transcode/stages.h"

enum { SEGMENT_S = 6, GOP_S = 2 };

/* Sets the stages' rate, ladder, copy, encoded_from, delay_us, grid and segment_s from their probe
 * and the job's params. -1 when stopped, or if the input cannot be opened a second time. */
int plan_pictures(struct stages *stages, struct err *err);

#endif
