/* The order matters: framing, drain, route, preflight, credentials, rate, role, body, handler. */
#include "gateway/gate.h"

#include <string.h>
#include <strings.h>

#include "common/clock.h"
#include "common/doc_json.h"
#include "common/id.h"
#include "gateway/handlers.h"
#include "gateway/query.h"
#include "gateway/router.h"
#include "gateway/submit.h"

enum { IDEMPOTENCY_KEY_MAX = 255 };

static void take_request_id(struct request *request)
{
    const char *given = request->headers.request_id;
    size_t len = given ? strspn(given, "0123456789abcdefghijklmnopqrstuvwxyz"
                                       "ABCDEFGHIJKLMNOPQRSTUVWXYZ._-")
                       : 0;
    if (len > 0 && len <= REQUEST_ID_MAX && given[len] == '\0')
        memcpy(request->id, given, len + 1);
    else
        id_hex(request->id, 16);
}

static int check_alive(struct api *api, struct request *request, struct err *err)
{
    if (request->refused) {
        request->reply.close = true;
        if (request->fault == EDGE_METHOD)
            reply_header(request, "Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS");
        return err_set(err, edge_fault_code(request->fault), "%s", edge_fault_text(request->fault));
    }
    if (atomic_load_explicit(&api->services->draining, memory_order_relaxed)) {
        request->reply.close = true;
        return err_set(err, ERR_SHUTTING_DOWN, "this gateway is shutting down");
    }
    return 0;
}

static int find_route(struct request *request, struct err *err)
{
    char allow[ROUTER_ALLOW_MAX];
    if (router_find(request, allow, err) == 0)
        return 0;
    if (err->code == ERR_METHOD_NOT_ALLOWED)
        reply_header(request, "Allow", arena_strdup(&request->arena, allow));
    return -1;
}

/* Whoever guesses is answered in detail no more than so often. Right credentials never wait for
 * wrong ones, which may come from the same address: a proxy's. */
static int refuse(const struct services *services, struct request *request, struct err *err)
{
    int64_t retry_after_ms = 0;
    if (err->code == ERR_MISSING_CREDENTIALS ||
        rate_take(services->refusals, "", request->peer ? request->peer : "", clock_mono_ms(),
                  &retry_after_ms))
        return -1;
    request->reply.close = true;
    err_set(err, ERR_RATE_LIMITED, "too many wrong credentials from this address");
    err->retry_after_ms = retry_after_ms;
    return -1;
}

static int check_caller(struct api *api, struct request *request, struct err *err)
{
    const struct services *services = api->services;
    int64_t retry_after_ms = 0;
    if (request->route->role == ROLE_NONE)
        return 0;
    if (auth_check(services->auth, request->headers.authorization, clock_wall_s(), &request->arena,
                   &request->who, err))
        return refuse(services, request, err);
    if (!rate_take(services->rate, request->who.tenant, request->who.name, clock_mono_ms(),
                   &retry_after_ms)) {
        err_set(err, ERR_RATE_LIMITED, "more than %lld requests a second",
                (long long)services->gateway->rate_per_s);
        err->retry_after_ms = retry_after_ms;
        return -1;
    }
    if (request->who.role < request->route->role)
        return err_set(err, ERR_FORBIDDEN, "this needs the role %s",
                       role_names[request->route->role]);
    return 0;
}

static bool is_json(const char *content_type)
{
    static const char json[] = "application/json";
    size_t len = sizeof json - 1;
    return content_type && strncasecmp(content_type, json, len) == 0 &&
           strchr("; \t", content_type[len]); /* the NUL, too */
}

static int decode_body(struct request *request, struct err *err)
{
    const struct doc *doc = request->route->request;
    const struct request_headers *headers = &request->headers;
    if (headers->content_encoding && strcasecmp(headers->content_encoding, "identity") != 0)
        return err_set(err, ERR_UNSUPPORTED_ENCODING, "send the body without Content-Encoding");
    if (!is_json(headers->content_type))
        return err_set(err, ERR_UNSUPPORTED_MEDIA_TYPE, "send Content-Type: application/json");
    void *in = arena_alloc(&request->arena, doc->size);
    request->in = in;
    return doc_json_decode(doc, request->body, request->body_len,
                           request->alias ? DOC_JSON_LENIENT : 0, &request->arena, in, err);
}

static int decode(struct request *request, struct err *err)
{
    const struct route *route = request->route;
    if (route->request)
        return decode_body(request, err);
    if (!route->query)
        return 0;
    void *in = arena_alloc(&request->arena, route->query->size);
    request->in = in;
    return query_decode(route->query, request->query, &request->arena, in, err);
}

static int check_idempotency_key(const struct request *request, struct err *err)
{
    const char *key = request->headers.idempotency_key;
    if (!key || !(request->route->flags & ROUTE_MAKES_JOB))
        return 0;
    size_t len = strlen(key);
    bool good = len >= 1 && len <= IDEMPOTENCY_KEY_MAX;
    for (size_t i = 0; i < len && good; i++)
        good = key[i] > ' ' && key[i] <= '~';
    return good ? 0
                : err_set(
                      err, ERR_INVALID_IDEMPOTENCY_KEY,
                      "an Idempotency-Key has 1 to 255 printable ASCII characters without spaces");
}

/* OPTIONS tells what a path answers; to browsers of allowed origins gate_finish adds the rest. */
static bool answer_options(struct request *request)
{
    char allow[ROUTER_ALLOW_MAX];
    if (strcmp(request->method, "OPTIONS") != 0)
        return false;
    router_methods(request->path, allow);
    if (!allow[0])
        return false;
    request->reply.status = 204;
    reply_header(request, "Allow", arena_strdup(&request->arena, allow));
    return true;
}

/* -1: the error is to be answered; 0: the handler's turn. */
static int admit(struct api *api, struct request *request, struct err *err)
{
    if (find_route(request, err) || check_caller(api, request, err) ||
        check_idempotency_key(request, err))
        return -1;
    return decode(request, err);
}

/* true: the reply is ready; false: somebody else will call request->done. */
static bool run(struct api *api, struct request *request)
{
    const struct route *route = request->route;
    const struct handler *handler = &handlers[route - routes];
    struct err err = {0};
    if (handler->plan) {
        if (submit(api, request, handler, &err) == 0)
            return false;
        reply_problem(request, &err);
        return true;
    }
    void *out = route->response ? arena_alloc(&request->arena, route->response->size) : NULL;
    int answer = handler->answer(api, request, request->in, out, &err);
    if (answer == API_PARKED)
        return false;
    if (answer)
        reply_problem(request, &err);
    else if (request->reply.status == 0)
        reply_document(request, route->status, route->response, out);
    return true;
}

bool gate_pass(struct api *api, struct pool *pool, struct request *request)
{
    struct err err = {0};
    take_request_id(request);
    if (check_alive(api, request, &err) == 0) {
        if (answer_options(request))
            return true;
        if (admit(api, request, &err) == 0) {
            if (!handlers[request->route - routes].waits)
                return run(api, request);
            if (pool_push(pool, request))
                return false;
            err_set(&err, ERR_OVERLOADED, "too many requests wait");
        }
    }
    reply_problem(request, &err);
    return true;
}

/* Not the store's own error: nobody knows what the request waits for. */
void gate_late(const struct services *services, struct err *err)
{
    if (store_away(services->store))
        err_set(err, ERR_STORE_UNAVAILABLE, "no answer in %d ms", REQUEST_ANSWER_MS);
    else
        err_set(err, ERR_OVERLOADED, "too many requests wait");
}

bool gate_is_watched(const struct request *request)
{
    return !handlers[request->route - routes].patient;
}

void gate_run(struct api *api, struct request *request)
{
    struct err err = {0};
    bool ready = clock_mono_ms() - request->began_ms >= REQUEST_ANSWER_MS;
    if (ready) {
        gate_late(api->services, &err);
        reply_problem(request, &err);
    }
    if (ready || run(api, request))
        request->done(request);
}

static const char *allowed_origin(const struct services *services, const char *origin)
{
    const struct strs *origins = &services->gateway->cors_origins;
    for (size_t i = 0; origin && i < origins->len; i++)
        if (strcmp(origins->at[i], origin) == 0 || strcmp(origins->at[i], "*") == 0)
            return origins->at[i];
    return NULL;
}

static void add_cors(const struct services *services, struct request *request)
{
    const char *origin = allowed_origin(services, request->headers.origin);
    reply_header(request, "Vary", "Origin"); /* a cache must not give this answer to a web page */
    if (!origin)
        return;
    reply_header(request, "Access-Control-Allow-Origin", origin);
    if (!request->headers.preflight_method) {
        reply_header(request, "Access-Control-Expose-Headers",
                     "ETag, Location, Retry-After, X-Request-Id, Content-Range");
        return;
    }
    reply_header(request, "Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE, OPTIONS");
    reply_header(
        request, "Access-Control-Allow-Headers",
        "Authorization, Content-Type, Idempotency-Key, If-None-Match, Range, X-Request-Id");
    reply_header(request, "Access-Control-Max-Age", "600");
}

void gate_finish(const struct services *services, struct request *request)
{
    reply_header(request, "X-Request-Id", request->id);
    if (atomic_load_explicit(&services->draining, memory_order_relaxed))
        request->reply.close = true; /* the next request would find nobody */
    if (services->gateway->cors_origins.len > 0)
        add_cors(services, request);
}
