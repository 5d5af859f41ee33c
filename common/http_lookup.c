/* What libcurl does not tell of a name that it could not resolve. */
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>

#include "common/http_transfer.h"

enum { ANSWER_BYTES = 4096, PATIENCE_S = 1 };

/* One name server, once: whoever waits for the transfer may want to stop it. */
bool http_host_unknown(CURLU *url)
{
    unsigned char answer[ANSWER_BYTES] = {0};
    struct __res_state resolver = {0};
    char *host = NULL;
    if (curl_url_get(url, CURLUPART_HOST, &host, CURLU_PUNYCODE) != CURLUE_OK)
        return false;
    bool unknown = false;
    if (res_ninit(&resolver) == 0) {
        resolver.retrans = PATIENCE_S;
        resolver.retry = 1;
        resolver.nscount = 1;
        unknown = res_nsearch(&resolver, host, ns_c_in, ns_t_a, answer, sizeof answer) < 0 &&
                  resolver.res_h_errno == HOST_NOT_FOUND;
        res_nclose(&resolver);
    }
    curl_free(host);
    return unknown;
}
