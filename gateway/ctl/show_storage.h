/* What mediafleetctl prints of storage jobs, for run_work. */
#ifndef GATEWAY_CTL_SHOW_STORAGE_H
#define GATEWAY_CTL_SHOW_STORAGE_H

#include "gateway/ctl/command.h"

int show_reconcile(struct session *session, const struct job_view *job, struct err *err);
int show_migrate(struct session *session, const struct job_view *job, struct err *err);
int show_duplicates(struct session *session, const struct job_view *job, struct err *err);
int show_cleanup(struct session *session, const struct job_view *job, struct err *err);
/* The command itself: it makes no job. EXIT_JOB_FAILED if rules were to be set and are not. */
int run_lifecycle(struct session *session, struct err *err);

#endif
