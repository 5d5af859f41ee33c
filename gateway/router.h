/* From method and path to a row of proto/route. */
#ifndef GATEWAY_ROUTER_H
#define GATEWAY_ROUTER_H

#include "gateway/request.h"

enum { ROUTER_ALLOW_MAX = 64 };

/* Sets route, alias and captures. ERR_NOT_FOUND; ERR_METHOD_NOT_ALLOWED with `allow` filled for the
 * Allow header. */
int router_find(struct request *request, char allow[ROUTER_ALLOW_MAX], struct err *err);
/* What may be done with the path, as an Allow header says it: "GET, HEAD, OPTIONS"; "" if there is
 * no such path. */
void router_methods(const char *path, char allow[ROUTER_ALLOW_MAX]);

#endif
