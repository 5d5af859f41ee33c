/* One transfer: what libcurl is told, and how its ways to fail become ours. */
#include "common/http_transfer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* libcurl asks here for every connection it opens, with the address it has resolved. */
static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *transfer = arg;
    struct http_address to;
    int64_t port;
    (void)purpose;
    if (transfer->policy->guarded && (!http_guard_from_sockaddr(&address->addr, &to, &port) ||
                                      !http_guard_port(transfer->policy, &to, port) ||
                                      !http_guard_address(transfer->policy, &to))) {
        transfer->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Connections that are used again pass by here and not by on_socket. */
static int on_connected(void *arg, char *to_ip, char *from_ip, int to_port, int from_port)
{
    struct transfer *transfer = arg;
    struct http_address to;
    (void)from_ip;
    (void)from_port;
    if (!transfer->policy->guarded ||
        (http_guard_from_text(to_ip, &to) && http_guard_port(transfer->policy, &to, to_port) &&
         http_guard_address(transfer->policy, &to)))
        return CURL_PREREQFUNC_OK;
    transfer->refused = true;
    return CURL_PREREQFUNC_ABORT;
}

static void add_header(struct transfer *transfer, const char *line)
{
    struct curl_slist *list = curl_slist_append(transfer->headers, line);
    if (!list)
        abort();
    transfer->headers = list;
}

static void set_headers(struct transfer *transfer, const struct http_request *request)
{
    /* Our servers do not answer 100-continue (R2), and waiting for it costs a second. */
    add_header(transfer, "Expect:");
    for (size_t i = 0; i < request->headers_len; i++)
        add_header(transfer, arena_printf(request->text.arena, "%s: %s", request->headers[i].name,
                                          request->headers[i].value));
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
}

static void set_method(CURL *easy, const struct http_request *request)
{
    if (strcmp(request->method, "GET") == 0) {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    } else if (strcmp(request->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (strcmp(request->method, "DELETE") == 0) {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "DELETE");
    } else {
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body_len);
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    }
}

static void set_callbacks(struct transfer *transfer)
{
    CURL *easy = transfer->easy;
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, http_on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, http_on_write);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, http_on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, http_on_seek);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
}

static void set_bounds(CURL *easy, const struct http_request *request)
{
    long connect_ms = request->connect_timeout_ms > 0 ? request->connect_timeout_ms : 10000;
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->total_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)request->low_speed_bytes);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)request->low_speed_s);
    /* The environment must not lead requests through somebody else's proxy, which would also blind
     * the guard. */
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->fresh ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* Else cancelling waits until a name server that does not answer has timed out. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    /* Bulk data: one TCP window for each stream. */
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 512L << 10);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 64L << 10);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "mediafleet/" MEDIAFLEET_VERSION);
}

int http_transfer_start(struct transfer *transfer, CURL *easy, const struct http_policy *policy,
                        struct http_request *request, struct err *err)
{
    *transfer = (struct transfer){.easy = easy, .policy = policy, .request = request};
    request->status = 0;
    request->retry_after_ms = request->last_modified_ms = 0;
    request->content_length = -1;
    request->text.len = 0;
    request->err = (struct err){0};
    if (http_parse_url(request->url, policy, &transfer->url, err))
        return -1;
    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_CURLU, transfer->url);
    set_bounds(easy, request);
    set_callbacks(transfer);
    set_method(easy, request);
    set_headers(transfer, request);
    return 0;
}

void http_transfer_release(struct transfer *transfer)
{
    curl_easy_reset(transfer->easy);
    curl_slist_free_all(transfer->headers);
    curl_url_cleanup(transfer->url);
    transfer->headers = NULL;
    transfer->url = NULL;
}

/* Rows not listed are failures of libcurl or of ours. */
static const struct {
    CURLcode code;
    enum error error;
} failures[] = {
    {CURLE_COULDNT_RESOLVE_HOST, ERR_SOURCE_DNS_ERROR},
    {CURLE_COULDNT_CONNECT, ERR_SOURCE_UNREACHABLE},
    {CURLE_GOT_NOTHING, ERR_SOURCE_UNREACHABLE},
    {CURLE_SEND_ERROR, ERR_SOURCE_UNREACHABLE},
    {CURLE_RECV_ERROR, ERR_SOURCE_UNREACHABLE},
    {CURLE_SEND_FAIL_REWIND, ERR_SOURCE_UNREACHABLE},
    {CURLE_OPERATION_TIMEDOUT, ERR_SOURCE_TIMEOUT},
    {CURLE_PARTIAL_FILE, ERR_SOURCE_TRUNCATED},
    {CURLE_WEIRD_SERVER_REPLY, ERR_SOURCE_UNAVAILABLE},
    {CURLE_UNSUPPORTED_PROTOCOL, ERR_SOURCE_UNAVAILABLE}, /* an answer that is not HTTP/1 */
    {CURLE_URL_MALFORMAT, ERR_INVALID_URL},
    {CURLE_SSL_CONNECT_ERROR, ERR_SOURCE_TLS_ERROR},
    {CURLE_PEER_FAILED_VERIFICATION, ERR_SOURCE_TLS_ERROR},
    {CURLE_SSL_CERTPROBLEM, ERR_SOURCE_TLS_ERROR},
    {CURLE_SSL_CIPHER, ERR_SOURCE_TLS_ERROR},
    {CURLE_SSL_CACERT_BADFILE, ERR_SOURCE_TLS_ERROR},
    {CURLE_SSL_ISSUER_ERROR, ERR_SOURCE_TLS_ERROR},
    {CURLE_SSL_INVALIDCERTSTATUS, ERR_SOURCE_TLS_ERROR},
};

static enum error error_of(const struct transfer *transfer, CURLcode code)
{
    /* A peer that hangs up while TLS is being spoken is a network failure, and worth another try.
     */
    if (code == CURLE_SSL_CONNECT_ERROR && strstr(transfer->error, "SYSCALL"))
        return ERR_SOURCE_UNREACHABLE;
    if (code == CURLE_COULDNT_RESOLVE_HOST && transfer->policy->guarded &&
        http_host_unknown(transfer->url))
        return ERR_SOURCE_UNKNOWN_HOST;
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++)
        if (failures[i].code == code)
            return failures[i].error;
    return ERR_INTERNAL;
}

void http_transfer_end(struct transfer *transfer, CURLcode code)
{
    struct http_request *request = transfer->request;
    curl_off_t retry_after_s = 0;
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &retry_after_s) == CURLE_OK &&
        retry_after_s > 0)
        request->retry_after_ms = (retry_after_s < 86400 ? retry_after_s : 86400) * 1000;
    request->status = (int)status;
    time_t modified = request->last_modified ? curl_getdate(request->last_modified, NULL) : 0;
    request->last_modified_ms = modified > 0 ? (int64_t)modified * 1000 : 0;
    if (code == CURLE_OK || request->err.code != ERR_NONE)
        return; /* a callback that ended it has said why */
    if (transfer->refused && (code == CURLE_COULDNT_CONNECT || code == CURLE_ABORTED_BY_CALLBACK)) {
        err_set(&request->err, ERR_FORBIDDEN_ADDRESS, "the host's address is not a public one");
        return;
    }
    /* libcurl's own words name host and port, never path or query. */
    err_set(&request->err, error_of(transfer, code), "%s",
            transfer->error[0] ? transfer->error : curl_easy_strerror(code));
}

bool http_transfer_stopped(struct transfer *transfer)
{
    struct http_request *request = transfer->request;
    if (!request->stopped || !request->stopped(request->arg))
        return false;
    err_set(&request->err, ERR_CANCELLED, "the transfer was stopped");
    return true;
}
