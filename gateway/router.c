/* The table is short: a look at every row costs less than a tree would. */
#include "gateway/router.h"

#include <stdio.h>
#include <string.h>

/* HEAD is GET whose body is left away. */
static bool serves(const struct route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

static bool matches(const struct route *route, const char *path, struct request *request)
{
    if (route_match(route->path, path, request->captures, &request->captures_len))
        return true;
    request->alias =
        route->alias && route_match(route->alias, path, request->captures, &request->captures_len);
    return request->alias;
}

static void add_method(char *allow, const char *method)
{
    size_t len = strlen(allow);
    if (!strstr(allow, method))
        snprintf(allow + len, ROUTER_ALLOW_MAX - len, "%s%s", len ? ", " : "", method);
}

void router_methods(const char *path, char allow[ROUTER_ALLOW_MAX])
{
    struct request scratch = {0};
    allow[0] = '\0';
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (!matches(&routes[i], path, &scratch))
            continue;
        add_method(allow, routes[i].method);
        if (strcmp(routes[i].method, "GET") == 0)
            add_method(allow, "HEAD");
    }
    if (allow[0])
        add_method(allow, "OPTIONS");
}

int router_find(struct request *request, char allow[ROUTER_ALLOW_MAX], struct err *err)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (!serves(&routes[i], request->method) || !matches(&routes[i], request->path, request))
            continue;
        request->route = &routes[i];
        return 0;
    }
    request->captures_len = 0;
    request->alias = false;
    router_methods(request->path, allow);
    if (allow[0])
        return err_set(err, ERR_METHOD_NOT_ALLOWED, "this path answers %s", allow);
    return err_set(err, ERR_NOT_FOUND, "there is nothing at this path");
}
