/* What handlers of projects share. */
#ifndef GATEWAY_PROJECT_H
#define GATEWAY_PROJECT_H

#include "gateway/api.h"

/* The project_id of the path. ERR_INVALID_ID. */
int api_project(struct request *request, const char **out, struct err *err);

#endif
