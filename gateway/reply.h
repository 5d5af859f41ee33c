/* What is answered to a request. */
#ifndef GATEWAY_REPLY_H
#define GATEWAY_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "proto/doc.h"

enum { REPLY_HEADERS_MAX = 12 };

struct request;

struct reply_header {
    const char *name, *value;
};
/* fd ≥ 0: the body is that part of the file, and whoever sends the reply closes it. */
struct reply {
    int status;
    const char *content_type; /* NULL: no body */
    struct text body;
    struct reply_header headers[REPLY_HEADERS_MAX];
    size_t headers_len;
    bool close;
    int fd;
    int64_t file_offset, file_len;
};

void reply_header(struct request *request, const char *name, const char *value);
/* One JSON answer by its table. */
void reply_document(struct request *request, int status, const struct doc *doc,
                    const void *document);
/* RFC 9457; adds WWW-Authenticate to 401 and Retry-After to 429 and 503. */
void reply_problem(struct request *request, const struct err *err);
/* What clients may read of it; NULL: nothing. */
const char *reply_detail(const struct err *err);
/* "OK", "Not Found" … */
const char *reply_title(int status);

#endif
