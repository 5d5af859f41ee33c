/* The tables of hello. */
#include "proto/hello.h"

static const char *const fail_names[] = {NULL, "transient", "permanent", "crash", NULL};

static const struct field params[] = {
    FIELD(hello_params, sleep_ms, .max = 3600000, .text = "How long to sleep, in ms."),
    FIELD(hello_params, fail, .names = fail_names, .text = "How to end: an error of that class, or SIGKILL to itself."),
};
const struct doc hello_params_doc = DOC(hello_params, params);

static const struct field result[] = {
    FIELD(hello_result, greeting, .text = "Always \"hello\"."),
};
const struct doc hello_result_doc = DOC(hello_result, result);
