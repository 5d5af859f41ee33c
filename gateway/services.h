/* Opens what handlers work with: store, publisher, committer, reconciler. Speaks to the log, as a
 * part of main. */
#ifndef GATEWAY_SERVICES_H
#define GATEWAY_SERVICES_H

#include "gateway/api.h"
#include "gateway/options.h"

/* Services that cannot be reached are no failure: they are tried again for as long as it takes. -1:
 * the settings are wrong. options must outlive it. */
int services_open(struct services *services, const struct options *options, struct err *err);
/* Answers what the committer and the job reader still hold: the server must still exist. */
void services_stop_accepting(struct services *services);
void services_close(struct services *services);

/* Tries each service and says how it went, one line each; returns the number of those that fail. */
size_t services_check(const struct options *options, struct text *report);
/* 0 if the gateway that these settings describe answers /healthz within 2 s. */
int services_health(const struct options *options, struct err *err);

#endif
