/* Inside common/http: a libcurl handle at work on one request. Nobody but http*.c includes this. */
#ifndef COMMON_HTTP_TRANSFER_H
#define COMMON_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "common/http.h"

struct transfer {
    CURL *easy;
    CURLU *url; /* what the guard judged is what libcurl uses: one parser */
    struct curl_slist *headers;
    const struct http_policy *policy;
    struct http_request *request;
    int64_t sent, received, header_bytes;
    bool refused, headers_ended; /* refused: the guard has said no to an address */
    char error[CURL_ERROR_SIZE];
};

/* Parses and judges; *out is the caller's to curl_url_cleanup. */
int http_parse_url(const char *url, const struct http_policy *policy, CURLU **out, struct err *err);

/* Prepares the handle for the request; ERR_INVALID_URL and the like, before anything is sent. */
int http_transfer_start(struct transfer *transfer, CURL *easy, const struct http_policy *policy,
                        struct http_request *request, struct err *err);
/* Fills the rest of the request's answer and its err. */
void http_transfer_end(struct transfer *transfer, CURLcode code);
/* Sets the request's err to ERR_CANCELLED if its owner wants it to end. */
bool http_transfer_stopped(struct transfer *transfer);
/* Gives back what start took, but for the easy handle. */
void http_transfer_release(struct transfer *transfer);

/* Whether a name server says that the URL's host does not exist (NXDOMAIN), which is more than that
 * none could be asked. Asks again, for a second at most. */
bool http_host_unknown(CURLU *url);

/* The callbacks given to libcurl. */
size_t http_on_header(char *line, size_t one, size_t len, void *arg);
size_t http_on_write(char *bytes, size_t one, size_t len, void *arg);
size_t http_on_read(char *bytes, size_t one, size_t room, void *arg);
int http_on_seek(void *arg, curl_off_t offset, int origin);

#endif
