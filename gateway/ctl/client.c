/* Requests to the gateway, tried again as long as the caller is patient. */
#include "gateway/ctl/client.h"

#include <string.h>

#include "common/clock.h"
#include "common/doc_json.h"
#include "proto/answer.h"

enum { CONNECT_MS = 5000, REQUEST_MS = 60000, ANSWER_MAX = 16 << 20, PAUSE_MS = 500, HEADERS = 4 };

static const struct field client_fields[] = {
    FIELD_AS(client_settings, url, "MEDIAFLEET_URL", .max = 1024,
             .fallback = "http://127.0.0.1:8080", .text = "Where the gateway is."),
    FIELD_AS(client_settings, api_key, "MEDIAFLEET_API_KEY", .flags = FIELD_SECRET, .max = 4096,
             .text = "Your API key or token."),
};
const struct doc client_settings_doc = DOC(client_settings, client_fields);

int client_open(struct client *client, const struct client_settings *settings, struct err *err)
{
    static const struct http_policy anywhere = {.guarded = false}; /* the operator named it */
    client->settings = *settings;
    return http_open(&client->http, &anywhere, 1, err);
}

void client_release(struct client *client)
{
    http_free(client->http);
    client->http = NULL;
}

static size_t add_header(struct http_header *headers, size_t len, const char *name,
                         const char *value)
{
    if (value)
        headers[len++] = (struct http_header){name, value};
    return len;
}

static size_t fill_headers(const struct client *client, const struct client_request *request,
                           struct arena *arena, struct http_header headers[HEADERS])
{
    const char *key = client->settings.api_key;
    const char *authorization = key ? arena_printf(arena, "Bearer %s", key) : NULL;
    size_t len = add_header(headers, 0, "Authorization", authorization);
    len = add_header(headers, len, "Content-Type", request->body ? "application/json" : NULL);
    len = add_header(headers, len, "Idempotency-Key", request->idempotency_key);
    return add_header(headers, len, "If-None-Match", request->etag);
}

/* "http://gateway/" and "/api" have one slash too many. */
static const char *join(const char *url, const char *path, struct arena *arena)
{
    size_t len = strlen(url);
    while (len > 0 && url[len - 1] == '/')
        len--;
    return arena_printf(arena, "%.*s%s", (int)len, url, path);
}

static struct http_request prepare(const struct client *client,
                                   const struct client_request *request,
                                   struct http_header headers[HEADERS], struct arena *arena)
{
    return (struct http_request){
        .method = request->method,
        .url = join(client->settings.url, request->path, arena),
        .headers = headers,
        .headers_len = fill_headers(client, request, arena, headers),
        .body_fd = -1,
        .body = request->body,
        .body_len = request->body ? (int64_t)strlen(request->body) : 0,
        .connect_timeout_ms = CONNECT_MS,
        .total_timeout_ms = REQUEST_MS,
        .max_bytes = ANSWER_MAX,
        .on_limit = ERR_BODY_TOO_LARGE,
        .text = {.arena = arena},
    };
}

/* What the gateway says is wrong. Whoever answers something else is no gateway, or a proxy before
 * it. */
static int fail(const struct http_request *http, struct arena *arena, struct err *err)
{
    struct problem problem;
    struct err ignored = {0};
    if (doc_json_decode(&problem_doc, http->text.at ? http->text.at : "", http->text.len,
                        DOC_JSON_LENIENT, arena, &problem, &ignored))
        return err_set(err, http->status == 503 ? ERR_OVERLOADED : ERR_INTERNAL,
                       "the answer was HTTP %d without a problem document", http->status);
    err_set(err, problem.code, "%s", problem.detail ? problem.detail : problem.title);
    if (problem.errors.len > 0 && problem.errors.at[0].pointer)
        err_prefix(err, "%s", problem.errors.at[0].pointer);
    return -1;
}

static int read_answer(const struct http_request *http, const struct client_request *request,
                       struct arena *arena, struct client_answer *answer, void *out,
                       struct err *err)
{
    *answer = (struct client_answer){.json = http->text, .etag = http->etag};
    if (http->status == 304) {
        answer->unchanged = true;
        return 0;
    }
    if (http->status / 100 != 2)
        return fail(http, arena, err);
    if (doc_json_decode(request->answer_doc, http->text.at ? http->text.at : "", http->text.len,
                        DOC_JSON_LENIENT, arena, out, err))
        return err_prefix(err, "the gateway's answer is not understood");
    return 0;
}

/* How long to wait before the next try, 0 if it makes no sense: only a gateway that cannot be
 * reached or is busy may answer otherwise in a moment. */
static int64_t pause_ms(const struct http_request *http)
{
    if (http->status != 0 && http->status != 429 && http->status / 100 != 5)
        return 0;
    return http->retry_after_ms > PAUSE_MS ? http->retry_after_ms : PAUSE_MS;
}

int client_call(struct client *client, const struct client_request *request, struct arena *arena,
                struct client_answer *answer, void *out, struct err *err)
{
    const int64_t end = clock_mono_ms() + request->patience_ms;
    for (;;) {
        struct http_header headers[HEADERS];
        struct http_request http = prepare(client, request, headers, arena);
        int failed = http_perform(client->http, &http, err);
        if (!failed)
            failed = read_answer(&http, request, arena, answer, out, err);
        int64_t pause = failed ? pause_ms(&http) : 0;
        if (pause == 0 || clock_mono_ms() + pause > end)
            return failed;
        clock_sleep_ms(pause);
    }
}
