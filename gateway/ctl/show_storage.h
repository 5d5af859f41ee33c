/* What mediafleetctl prints of storage jobs, for run_work. */
#ifndef GATEWAY_CTL_SHOW_STORAGE_H
#define GATEWAY_CTL_SHOW_STORAGE_H

#include "gateway/ctl/command.h"

int show_reconcile(struct session *session, const struct job_view *job, struct err *err);
int show_migrate(struct session *session, const struct job_view *job, struct err *err);
int show_duplicates(struct session *session, const struct job_view *job, struct err *err);

#endif
