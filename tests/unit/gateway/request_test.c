/* Problem documents, query strings, the rate limit, and the OpenAPI file. */
#include "gateway/request.h"

#include "check.h"
#include "gateway/openapi.h"
#include "gateway/query.h"
#include "gateway/rate.h"
#include "proto/answer.h"

static struct arena arena;
static struct err err;

static const char *header(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->reply.headers_len; i++)
        if (strcmp(request->reply.headers[i].name, name) == 0)
            return request->reply.headers[i].value;
    return NULL;
}

static void problems(void)
{
    struct request request = {.path = "/a\"b", .id = "r1"};
    err_set(&err, ERR_OUT_OF_RANGE, "limit: must be 1 to 9");
    strcpy(err.pointer, "/limit");
    reply_problem(&request, &err);
    CHECK_INT(request.reply.status, 422);
    CHECK_STR(request.reply.content_type, "application/problem+json");
    CHECK_STR(
        request.reply.body.at,
        "{\"type\":\"/problems/out-of-range\",\"title\":\"Unprocessable Content\",\"status\":422,"
        "\"detail\":\"limit: must be 1 to 9\",\"code\":\"out-of-range\",\"request_id\":\"r1\","
        "\"instance\":\"/a\\\"b\",\"errors\":[{\"pointer\":\"/"
        "limit\",\"code\":\"out-of-range\"}]}");
    arena_release(&request.arena);
}

static void every_error_has_a_title(void)
{
    for (unsigned code = 1; code < ERR_COUNT; code++)
        CHECK(strcmp(reply_title(error_status((enum error)code)), "Error") != 0);
}

static void headers_of_problems(void)
{
    struct request request = {0};
    err_set(&err, ERR_MISSING_CREDENTIALS, "none");
    reply_problem(&request, &err);
    CHECK_STR(header(&request, "WWW-Authenticate"), "Bearer realm=\"mediafleet\"");
    request_reset(&request);
    err_set(&err, ERR_RATE_LIMITED, "slower");
    err.retry_after_ms = 2100;
    reply_problem(&request, &err);
    CHECK_STR(header(&request, "Retry-After"), "3");
    request_reset(&request);
    err_set(&err, ERR_STORE_UNAVAILABLE, "gone");
    reply_problem(&request, &err);
    CHECK_STR(header(&request, "Retry-After"), "1");
    CHECK_INT(request.reply.fd, -1);
    arena_release(&request.arena);
}

static void good_queries(void)
{
    struct job_search search;
    CHECK_INT(query_decode(&job_search_doc, NULL, &arena, &search, &err), 0);
    CHECK_INT(search.limit, 0);
    CHECK_INT(query_decode(&job_search_doc, "state=failed&limit=1000&&project_id=a%2Eb", &arena,
                           &search, &err),
              0);
    CHECK_INT(search.state, JOB_FAILED);
    CHECK_INT(search.limit, 1000);
    CHECK_STR(search.project_id, "a.b");
}

static void bad_queries(void)
{
    static const struct {
        const char *query;
        enum error code;
    } cases[] = {
        {"limit=0", ERR_OUT_OF_RANGE},        {"limit=1001", ERR_OUT_OF_RANGE},
        {"limit=abc", ERR_OUT_OF_RANGE},      {"limit=", ERR_OUT_OF_RANGE},
        {"limit=+1", ERR_OUT_OF_RANGE},       {"limit=-1", ERR_OUT_OF_RANGE},
        {"limit=1e3", ERR_OUT_OF_RANGE},      {"limit=99999999999999999999", ERR_OUT_OF_RANGE},
        {"state=gone", ERR_INVALID_FORMAT},   {"state", ERR_INVALID_FORMAT},
        {"stat=failed", ERR_UNKNOWN_FIELD},   {"limit=1&limit=2", ERR_DUPLICATE_KEY},
        {"cursor=%zz", ERR_INVALID_ENCODING}, {"cursor=%00", ERR_INVALID_ENCODING},
        {"cursor=%ff", ERR_INVALID_ENCODING}, {"project_id=..", ERR_INVALID_FORMAT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct job_search search;
        CHECK_INT(query_decode(&job_search_doc, cases[i].query, &arena, &search, &err), -1);
        if (err.code != cases[i].code)
            fprintf(stderr, "%s: %s\n", cases[i].query, err.detail);
        CHECK_INT(err.code, cases[i].code);
    }
}

static void rates(void)
{
    int64_t wait_ms = 0;
    struct rate *rate = rate_open(10);
    for (int i = 0; i < 10; i++)
        CHECK(rate_take(rate, "t", "a", 5000, &wait_ms));
    CHECK(!rate_take(rate, "t", "a", 5000, &wait_ms));
    CHECK_INT(wait_ms, 100);
    CHECK(rate_take(rate, "t", "b", 5000, &wait_ms));
    CHECK(rate_take(rate, "t", "a", 5100, &wait_ms));
    CHECK(!rate_take(rate, "t", "a", 5100, &wait_ms));
    CHECK(rate_take(rate, "t", "a", 9000, &wait_ms));
    rate_free(rate);
    CHECK(rate_open(0) == NULL);
    CHECK(rate_take(NULL, "t", "a", 0, &wait_ms));
}

/* The committed file stands beside the tables: this file's own path leads there. */
static void openapi_is_as_committed(void)
{
    static const char here[] = "tests/unit/gateway/request_test.c";
    static char path[4096], committed[1 << 18];
    size_t root = strlen(__FILE__) - (sizeof here - 1);
    snprintf(path, sizeof path, "%.*sproto/openapi.json", (int)root, __FILE__);
    struct text text = {.arena = &arena};
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    committed[fread(committed, 1, sizeof committed - 1, file)] = '\0';
    fclose(file);
    openapi_print(&text);
    if (strcmp(text.at, committed) != 0)
        fprintf(stderr, "run: mediafleet-gateway --openapi > proto/openapi.json\n");
    CHECK(strcmp(text.at, committed) == 0);
}

int main(void)
{
    RUN(problems);
    RUN(every_error_has_a_title);
    RUN(headers_of_problems);
    RUN(good_queries);
    RUN(bad_queries);
    RUN(rates);
    RUN(openapi_is_as_committed);
    arena_release(&arena);
    return 0;
}
