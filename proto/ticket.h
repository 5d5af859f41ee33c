/* The AMQP message: "look at this task". A hint and nothing more; the store decides. */
#ifndef PROTO_TICKET_H
#define PROTO_TICKET_H

#include "proto/doc.h"

enum { TICKET_VERSION = 1, TICKET_MAX_BYTES = 200 };

/* On the wire {"v":1,"job":"01J…","task":0}: JSON, at most TICKET_MAX_BYTES. */
struct ticket {
    int64_t v;
    const char *job;
    int64_t task; /* index into the job's tasks; compare it with their number as size_t: it may be negative */
};
extern const struct doc ticket_doc;

#endif
