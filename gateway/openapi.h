/* OpenAPI 3.1, printed from the tables of proto. */
#ifndef GATEWAY_OPENAPI_H
#define GATEWAY_OPENAPI_H

#include "common/arena.h"

/* Ends with a newline. The same text in every build: proto/openapi.json is compared with it. */
void openapi_print(struct text *text);

#endif
