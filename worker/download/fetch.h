/* Fetches a URL into a file: redirects hop by hop, cut transfers continued, everything bounded. */
#ifndef WORKER_DOWNLOAD_FETCH_H
#define WORKER_DOWNLOAD_FETCH_H

#include "common/http.h"
#include "worker/download/sink.h"

enum { FETCH_RESUMES_MAX = 8, FETCH_IDLE_MAX = 3 }; /* idle: tries in a row that brought nothing */

struct fetch {
    /* The caller fills this part. http carries the egress policy. */
    struct http *http;
    const char *url, *path;
    int64_t max_bytes, max_redirects;
    int connect_timeout_ms, low_speed_bytes, low_speed_s;
    int64_t pause_ms; /* before the first continuation, doubling; 0: 500 */
    bool (*stopped)(void *arg);
    void (*progress)(void *arg, int64_t got, int64_t bytes,
                     int64_t total); /* got: new; total 0: not told */
    void *arg;
    struct arena *arena;
    /* What was fetched. */
    const struct sniff *type;
    int64_t size_bytes, resumed;
    char sha256[DIGEST_HEX_LEN + 1];
    const char *etag, *final_url; /* final_url: without query */
};

/* On failure no file is left. Codes: ERR_SOURCE_*, ERR_EMPTY_SOURCE, ERR_UNSUPPORTED_MEDIA,
 * ERR_TOO_MANY_REDIRECTS, those of http_check_url, ERR_DISK_FULL, ERR_IO_ERROR, ERR_CANCELLED. */
int fetch_file(struct fetch *fetch, struct err *err);

#endif
