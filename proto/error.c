/* The error table's look-ups. */
#include "proto/error.h"

#include <stddef.h>

const char *const error_names[] = {
    [ERR_NONE] = NULL,
#define X(suffix, name, status, class) [ERR_##suffix] = name,
    ERROR_TABLE(X)
#undef X
        [ERR_COUNT] = NULL,
};

static const struct {
    int status;
    enum error_class class;
} rows[] = {
    [ERR_NONE] = {200, CLASS_CALLER},
#define X(suffix, name, status, class) [ERR_##suffix] = {status, CLASS_##class},
    ERROR_TABLE(X)
#undef X
};

static enum error known(enum error code)
{
    return code < ERR_COUNT ? code : ERR_INTERNAL;
}

const char *error_name(enum error code)
{
    return code == ERR_NONE ? "none" : error_names[known(code)];
}

int error_status(enum error code)
{
    return rows[known(code)].status;
}

enum error_class error_class(enum error code)
{
    return rows[known(code)].class;
}
