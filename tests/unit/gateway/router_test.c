/* From method and path to a row, and what is said where there is none. */
#include "gateway/router.h"

#include "check.h"

static struct request request;
static char allow[ROUTER_ALLOW_MAX];
static struct err err;

static int find(const char *method, const char *path)
{
    request = (struct request){.method = method, .path = path};
    err = (struct err){0};
    return router_find(&request, allow, &err);
}

static void rows_are_found(void)
{
    CHECK_INT(find("GET", "/api/v1/jobs"), 0);
    CHECK(request.route == &routes[ROUTE_JOBS]);
    CHECK_INT(find("HEAD", "/api/v1/jobs/"), 0);
    CHECK(request.route == &routes[ROUTE_JOBS]);
    CHECK_INT(find("GET", "/api/v1/jobs/01J"), 0);
    CHECK(request.route == &routes[ROUTE_JOB]);
    CHECK_INT(request.captures_len, 1);
    CHECK_INT(find("POST", "/api/v1/jobs/01J/cancel"), 0);
    CHECK(request.route == &routes[ROUTE_JOB_CANCEL]);
    CHECK_INT(find("GET", "/media/1.s/projects/p/scenes/s/j/v/a.m4s"), 0);
    CHECK(request.route == &routes[ROUTE_MEDIA]);
}

static void unknown_paths(void)
{
    static const char *const paths[] = {
        "/",          "/api",         "/api/v1/jobs/a/b", "//healthz",
        "/healthz/x", "/API/v1/jobs", "/.refused/1",      ""};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        CHECK_INT(find("GET", paths[i]), -1);
        CHECK_INT(err.code, ERR_NOT_FOUND);
        CHECK(request.route == NULL);
    }
}

static void wrong_methods(void)
{
    CHECK_INT(find("DELETE", "/api/v1/jobs"), -1);
    CHECK_INT(err.code, ERR_METHOD_NOT_ALLOWED);
    CHECK_STR(allow, "GET, HEAD, OPTIONS");
    CHECK_INT(find("GET", "/api/v1/media/store"), -1);
    CHECK_STR(allow, "POST, OPTIONS");
    CHECK_INT(request.captures_len, 0);
}

static void captures_are_decoded(void)
{
    struct arena *arena = &request.arena;
    CHECK_INT(find("GET", "/api/v1/jobs/a%41b"), 0);
    CHECK_STR(request_capture(&request, "id"), "aAb");
    CHECK_STR(request_capture(&request, "other"), NULL);
    arena_release(arena);
    static const char *const bad[] = {"/api/v1/jobs/%00", "/api/v1/jobs/%0a", "/api/v1/jobs/%f",
                                      "/api/v1/jobs/%",   "/api/v1/jobs/%ff", "/api/v1/jobs/%zz"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_INT(find("GET", bad[i]), 0);
        CHECK_STR(request_capture(&request, "id"), NULL);
        arena_release(arena);
    }
}

int main(void)
{
    RUN(rows_are_found);
    RUN(unknown_paths);
    RUN(wrong_methods);
    RUN(captures_are_decoded);
    return 0;
}
