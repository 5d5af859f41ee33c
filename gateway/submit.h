/* From a handler's plan to a job in the committer's hands, and from its result to the answer. */
#ifndef GATEWAY_SUBMIT_H
#define GATEWAY_SUBMIT_H

#include "gateway/handlers.h"

/* Lets the handler plan, then hands the job to the committer. 0: request->done will be called, with
 * the reply ready (from the committer's thread); -1: nothing was submitted. */
int submit(struct api *api, struct request *request, const struct handler *handler,
           struct err *err);

/* For plans: the recipe's tasks, and its parameters as the job's. ERR_INTERNAL if there is no such
 * recipe. */
int submit_recipe(struct request *request, struct job *job, const char *recipe,
                  const struct raw *params, struct err *err);

#endif
