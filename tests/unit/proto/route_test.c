/* The rows of the route table, and how paths are held against them. */
#include "proto/route.h"

#include "check.h"

static struct capture captures[ROUTE_CAPTURES_MAX];
static size_t len;

static void literal_paths(void)
{
    CHECK(route_match("/healthz", "/healthz", captures, &len));
    CHECK(route_match("/healthz", "/healthz/", captures, &len));
    CHECK_INT(len, 0);
    CHECK(!route_match("/healthz", "/healthz//", captures, &len));
    CHECK(!route_match("/healthz", "/health", captures, &len));
    CHECK(!route_match("/healthz", "/healthzz", captures, &len));
    CHECK(!route_match("/healthz", "healthz", captures, &len));
    CHECK(!route_match("/a/b", "/a", captures, &len));
    CHECK(!route_match("/a", "/a/b", captures, &len));
    CHECK(!route_match("/a", "", captures, &len));
    CHECK(route_match("/a/", "/a/", captures, &len));
    CHECK(route_match("/a/", "/a", captures, &len));
    CHECK(!route_match("/a/", "/a//", captures, &len));
    CHECK(!route_match("/a/", "/a/b", captures, &len));
    CHECK(!route_match("/a/", "", captures, &len));
}

static void captured_segments(void)
{
    CHECK(route_match("/jobs/{id}/cancel", "/jobs/01J/cancel", captures, &len));
    CHECK_INT(len, 1);
    CHECK_INT(captures[0].name_len, 2);
    CHECK(memcmp(captures[0].name, "id", 2) == 0);
    CHECK_INT(captures[0].len, 3);
    CHECK(memcmp(captures[0].at, "01J", 3) == 0);
    CHECK(!route_match("/jobs/{id}", "/jobs/", captures, &len));
    CHECK(!route_match("/jobs/{id}", "/jobs//", captures, &len));
    CHECK(!route_match("/jobs/{id}", "/jobs/a/b", captures, &len));
    CHECK(route_match("/jobs/{id}", "/jobs/a/", captures, &len));
    CHECK_INT(captures[0].len, 1);
}

static void captured_rest(void)
{
    CHECK(route_match("/media/{grant}/{key…}", "/media/1.a/projects/p/x", captures, &len));
    CHECK_INT(len, 2);
    CHECK_INT(captures[1].name_len, 3);
    CHECK(memcmp(captures[1].name, "key", 3) == 0);
    CHECK_INT(captures[1].len, strlen("projects/p/x"));
    CHECK(!route_match("/media/{grant}/{key…}", "/media/1.a/", captures, &len));
    CHECK(!route_match("/media/{grant}/{key…}", "/media/1.a", captures, &len));
}

static void rows_are_whole(void)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        const struct route *row = &routes[i];
        CHECK(row->method && row->path && row->text);
        CHECK(row->status >= 200 && row->status < 300);
        CHECK_INT((row->response != NULL) + (row->content_type != NULL), row->status != 204);
        CHECK(!(row->flags & ROUTE_MAKES_JOB) || row->status == 202);
        CHECK(!row->request || strcmp(row->method, "GET") != 0);
        CHECK(!row->query || !row->request); /* one of them is the handler's document */
    }
}

static void no_row_hides_another(void)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        for (size_t j = i + 1; j < ROUTE_COUNT; j++)
            CHECK(strcmp(routes[i].method, routes[j].method) != 0 ||
                  !route_match(routes[i].path, routes[j].path, captures, &len));
}

/* What changes something needs at least an operator; what is open tells no tenant's data. */
static void access_is_told(void)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        if (strcmp(routes[i].method, "GET") != 0)
            CHECK(routes[i].role >= ROLE_OPERATOR);
    CHECK_INT(routes[ROUTE_HEALTHZ].role, ROLE_NONE);
    CHECK_INT(routes[ROUTE_METRICS].role, ROLE_VIEWER);
    CHECK_INT(routes[ROUTE_JOB].role, ROLE_VIEWER);
    CHECK(routes[ROUTE_MEDIA].flags & ROUTE_SIGNED);
}

int main(void)
{
    RUN(literal_paths);
    RUN(captured_segments);
    RUN(captured_rest);
    RUN(rows_are_whole);
    RUN(no_row_hides_another);
    RUN(access_is_told);
    return 0;
}
