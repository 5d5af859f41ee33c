/* hello: the debug task, and the probe of the fault tests. */
#ifndef PROTO_HELLO_H
#define PROTO_HELLO_H

#include "proto/doc.h"

enum hello_fail { HELLO_NONE, HELLO_TRANSIENT, HELLO_PERMANENT, HELLO_CRASH };

struct hello_params {
    int64_t sleep_ms; /* ≤ 1 h */
    enum hello_fail fail;
};
struct hello_result {
    const char *greeting;
};
extern const struct doc hello_params_doc, hello_result_doc;

#endif
