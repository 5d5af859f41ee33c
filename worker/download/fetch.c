/* One download: tries, each following redirects from the start, until all bytes are there. */
#include "worker/download/fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"

enum {
    PAUSE_MS = 500,
    PAUSE_MAX_MS = 8000,
    PATIENCE_MS = 20000,
    REDIRECT_BODY = 64 << 10,
    DRIP_BYTES = 1 << 20
};

/* The state between tries. */
struct course {
    struct fetch *fetch;
    struct sink sink;
    const char *validator; /* for If-Range: a strong ETag or a date; NULL: cannot be continued */
    int64_t total;         /* 0: not told */
    struct http_request *request;
    int64_t asked_from; /* what Range asked for */
    bool judged;        /* the answer's headers have been looked at */
    int64_t redirect_bytes;
};

static int status_error(const struct http_request *request, struct err *err)
{
    static const struct {
        int status;
        enum error error;
    } rows[] = {
        {404, ERR_SOURCE_NOT_FOUND},   {410, ERR_SOURCE_NOT_FOUND},   {401, ERR_SOURCE_FORBIDDEN},
        {403, ERR_SOURCE_FORBIDDEN},   {408, ERR_SOURCE_UNAVAILABLE}, {425, ERR_SOURCE_UNAVAILABLE},
        {429, ERR_SOURCE_UNAVAILABLE}, {204, ERR_EMPTY_SOURCE},
    };
    enum error error = request->status >= 500 ? ERR_SOURCE_UNAVAILABLE : ERR_SOURCE_REFUSED;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].status == request->status)
            error = rows[i].error;
    err_set(err, error, "the source answered %d", request->status);
    return -1;
}

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* "bytes 100-199/200": false if it is not that. A total of * is 0. */
static bool parse_content_range(const char *text, int64_t *from, int64_t *total)
{
    long long first, last, whole = 0;
    int end = 0;
    if (!text)
        return false;
    if (sscanf(text, "bytes %lld-%lld/%lld%n", &first, &last, &whole, &end) != 3) {
        end = 0;
        whole = 0;
        if (sscanf(text, "bytes %lld-%lld/*%n", &first, &last, &end) != 2)
            return false;
    }
    *from = first;
    *total = whole;
    return end > 0 && text[end] == '\0' && first >= 0 && last >= first &&
           (whole == 0 || whole > last);
}

static const char *validator_of(const struct http_request *request, struct arena *arena)
{
    const char *etag = request->etag;
    if (etag && etag[0] == '"')
        return arena_strdup(arena, etag);
    return arena_strdup(arena, request->last_modified);
}

/* A whole answer: what came before is worth nothing. */
static int begin_whole(struct course *course, struct err *err)
{
    const struct http_request *request = course->request;
    struct fetch *fetch = course->fetch;
    if (course->sink.written > 0 && sink_restart(&course->sink, err))
        return -1;
    course->total = request->content_length > 0 ? request->content_length : 0;
    course->validator = validator_of(request, fetch->arena);
    fetch->etag = arena_strdup(fetch->arena, request->etag);
    return course->total > 0 ? sink_room(&course->sink, course->total, err) : 0;
}

/* The rest: only if it is the rest of what we have. */
static int begin_rest(struct course *course, struct err *err)
{
    const struct http_request *request = course->request;
    int64_t from, total;
    bool same = parse_content_range(request->content_range, &from, &total) &&
                from == course->sink.written &&
                (total == 0 || course->total == 0 || total == course->total);
    if (same && course->fetch->etag && request->etag &&
        strcmp(course->fetch->etag, request->etag) != 0)
        same = false;
    if (same) {
        course->total = total > 0 ? total : course->total;
        return 0;
    }
    course->validator = NULL; /* the next try begins anew */
    return err_set(err, ERR_SOURCE_TRUNCATED, "the source continued with something else");
}

static int judge_answer(struct course *course, struct err *err)
{
    const struct http_request *request = course->request;
    if (request->status == 416 && course->asked_from > 0) {
        course->validator = NULL;
        return err_set(err, ERR_SOURCE_TRUNCATED, "the source has become shorter");
    }
    if (request->status == 206 && course->asked_from > 0)
        return begin_rest(course, err);
    if (request->status == 200 || request->status == 203)
        return begin_whole(course, err);
    return status_error(request, err);
}

static int on_write(void *arg, int status, const char *bytes, size_t len, struct err *err)
{
    struct course *course = arg;
    struct fetch *fetch = course->fetch;
    if (is_redirect(status)) {
        course->redirect_bytes += (int64_t)len;
        return course->redirect_bytes <= REDIRECT_BODY
                   ? 0
                   : err_set(err, ERR_SOURCE_REFUSED, "a redirect with an endless body");
    }
    if (!course->judged && judge_answer(course, err))
        return -1;
    course->judged = true;
    if (course->sink.written + (int64_t)len > fetch->max_bytes)
        return err_set(err, ERR_SOURCE_TOO_LARGE, "the source has more than %lld bytes",
                       (long long)fetch->max_bytes);
    if (sink_write(&course->sink, bytes, len, err))
        return -1;
    if (fetch->progress)
        fetch->progress(fetch->arg, (int64_t)len, course->sink.written, course->total);
    return 0;
}

static bool on_stopped(void *arg)
{
    const struct fetch *fetch = ((struct course *)arg)->fetch;
    return fetch->stopped && fetch->stopped(fetch->arg);
}

/* One request of a chain of redirects. */
static int perform(struct course *course, const char *url, struct err *err)
{
    const struct fetch *fetch = course->fetch;
    struct http_header headers[2];
    size_t len = 0;
    course->asked_from = course->validator ? course->sink.written : 0;
    if (course->asked_from > 0) {
        headers[len++] = (struct http_header){
            "Range", arena_printf(fetch->arena, "bytes=%lld-", (long long)course->asked_from)};
        headers[len++] = (struct http_header){"If-Range", course->validator};
    }
    *course->request = (struct http_request){
        .method = "GET",
        .url = url,
        .headers = headers,
        .headers_len = len,
        .connect_timeout_ms = fetch->connect_timeout_ms,
        .low_speed_bytes = fetch->low_speed_bytes,
        .low_speed_s = fetch->low_speed_s,
        .max_bytes = fetch->max_bytes,
        .on_limit = ERR_SOURCE_TOO_LARGE,
        .write = on_write,
        .stopped = on_stopped,
        .arg = course,
        .text.arena = fetch->arena,
    };
    course->judged = false;
    course->redirect_bytes = 0;
    return http_perform(fetch->http, course->request, err);
}

/* From the given address to the one that answers with something else than a redirect. */
static int follow(struct course *course, struct err *err)
{
    struct fetch *fetch = course->fetch;
    const char *url = fetch->url;
    for (int64_t hops = 0;; hops++) {
        if (perform(course, url, err))
            return -1;
        if (!is_redirect(course->request->status) || !course->request->location)
            break;
        if (hops >= fetch->max_redirects)
            return err_set(err, ERR_TOO_MANY_REDIRECTS, "more than %lld redirects",
                           (long long)fetch->max_redirects);
        if (http_resolve(url, course->request->location, fetch->arena, &url, err))
            return err_prefix(err, "redirect");
    }
    fetch->final_url = arena_strndup(fetch->arena, url, strcspn(url, "?#"));
    if (!course->judged && judge_answer(course, err)) /* an answer without a body */
        return -1;
    return 0;
}

static int try_once(struct course *course, struct err *err)
{
    if (follow(course, err)) {
        err->retry_after_ms = course->request->retry_after_ms;
        return -1;
    }
    if (course->total > 0 && course->sink.written != course->total)
        return err_set(err, ERR_SOURCE_TRUNCATED, "%lld of %lld bytes came",
                       (long long)course->sink.written, (long long)course->total);
    return 0;
}

static int pause_before(const struct fetch *fetch, int64_t tries, int64_t retry_after_ms,
                        struct err *err)
{
    int64_t ms = fetch->pause_ms > 0 ? fetch->pause_ms : PAUSE_MS;
    for (int64_t i = 1; i < tries && ms < PAUSE_MAX_MS; i++)
        ms *= 2;
    if (retry_after_ms > ms)
        ms = retry_after_ms;
    for (int64_t until = clock_mono_ms() + ms, now; (now = clock_mono_ms()) < until;) {
        if (fetch->stopped && fetch->stopped(fetch->arg))
            return err_set(err, ERR_CANCELLED, "the download was stopped");
        clock_sleep_ms(until - now < 250 ? until - now : 250);
    }
    return 0;
}

/* Only what has begun is continued here; a source that gives nothing is the task's next run's
 * business. */
static bool worth_continuing(const struct err *err, const struct sink *sink)
{
    return sink->written > 0 && error_class(err->code) == CLASS_TRANSIENT &&
           err->code != ERR_DISK_FULL && err->code != ERR_IO_ERROR && err->code != ERR_INTERNAL &&
           err->retry_after_ms <= PATIENCE_MS;
}

/* A source that drips until it is too slow is not getting anywhere. */
static bool progressed(const struct err *err, int64_t bytes)
{
    return bytes > (err->code == ERR_SOURCE_TIMEOUT ? DRIP_BYTES : 0);
}

static int fetch_all(struct course *course, struct err *err)
{
    struct fetch *fetch = course->fetch;
    for (int64_t idle = 0;;) {
        int64_t before = course->sink.written;
        struct err own = {0};
        if (try_once(course, &own) == 0)
            return 0;
        idle = progressed(&own, course->sink.written - before) ? 0 : idle + 1;
        if (fetch->resumed >= FETCH_RESUMES_MAX || idle >= FETCH_IDLE_MAX ||
            !worth_continuing(&own, &course->sink)) {
            *err = own;
            return -1;
        }
        fetch->resumed++;
        if (pause_before(fetch, idle + 1, own.retry_after_ms, err))
            return -1;
    }
}

int fetch_file(struct fetch *fetch, struct err *err)
{
    struct http_request request = {0};
    struct course course = {.fetch = fetch, .request = &request};
    fetch->resumed = 0;
    if (sink_open(&course.sink, fetch->path, err))
        return -1;
    int failed = fetch_all(&course, err) || sink_end(&course.sink, fetch->sha256, err);
    fetch->type = course.sink.type;
    fetch->size_bytes = course.sink.written;
    sink_close(&course.sink);
    if (!failed)
        return 0;
    unlink(fetch->path);
    return -1;
}
