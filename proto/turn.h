/* turns: what only one process of a fleet does at a time, and which one that is now. */
#ifndef PROTO_TURN_H
#define PROTO_TURN_H

#include "proto/doc.h"

#define TURN_COLLECTION "turns"

struct turn {
    const char *id;    /* what it is about: "missing.hello" */
    const char *owner; /* who has it … */
    int64_t until;     /* … until then, if it does not take it again */
};
extern const struct doc turn_doc;

#endif
