/* A failure on its way to whoever decides: a code from proto/error.h and a sentence for people. */
#ifndef COMMON_ERR_H
#define COMMON_ERR_H

#include <stdint.h>

#include "proto/error.h"

enum { ERR_DETAIL_MAX = 480 };

/* The caller's, usually on its stack; zero it before the first use. The detail is always valid UTF-8, without control
 * characters; secrets never go in. */
struct err {
    enum error code;
    int64_t retry_after_ms; /* what the other side asked for, 0 if nothing */
    char detail[ERR_DETAIL_MAX];
    char pointer[96]; /* JSON pointer of the field at fault, "" if none */
};

/* All return -1, so that `return err_set(err, ERR_TIMEOUT, "no answer in %d s", s);` is a whole error path. err_set and
 * err_errno replace whatever err held, retry_after_ms and pointer too. */
int err_set(struct err *err, enum error code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Adds context in front of the detail ("open 'x': "), keeps the code. */
int err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* From errno: ENOSPC and EDQUOT are disk-full, all else io-error. */
int err_errno(struct err *err, int number, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Replaces what is not UTF-8 or a control character by '?', in place; cuts no character in half. */
void err_clean(char *text);

#endif
