/* A failure on its way to whoever decides: filled in one call, always fit to be shown. */
#include "common/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/utf8.h"

/* Formats aside first: an argument may be the very detail that is replaced. */
static void fill(struct err *err, enum error code, const char *format, va_list args)
{
    char detail[ERR_DETAIL_MAX];
    vsnprintf(detail, sizeof detail, format, args);
    err_clean(detail);
    *err = (struct err){.code = code};
    memcpy(err->detail, detail, sizeof detail);
}

int err_set(struct err *err, enum error code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(err, code, format, args);
    va_end(args);
    return -1;
}

int err_prefix(struct err *err, const char *format, ...)
{
    char context[ERR_DETAIL_MAX], whole[2 * ERR_DETAIL_MAX + 2];
    va_list args;
    va_start(args, format);
    vsnprintf(context, sizeof context, format, args);
    va_end(args);
    snprintf(whole, sizeof whole, "%s: %s", context, err->detail);
    size_t len = strnlen(whole, sizeof err->detail - 1);
    memcpy(err->detail, whole, len);
    err->detail[len] = '\0';
    err_clean(err->detail);
    return -1;
}

int err_errno(struct err *err, int number, const char *format, ...)
{
    enum error code = number == ENOSPC || number == EDQUOT ? ERR_DISK_FULL : ERR_IO_ERROR;
    va_list args;
    va_start(args, format);
    fill(err, code, format, args);
    va_end(args);
    char reason[128];
    size_t len = strlen(err->detail);
    /* GNU's strerror_r: the text it returns need not be the buffer. */
    snprintf(err->detail + len, sizeof err->detail - len, ": %s",
             strerror_r(number, reason, sizeof reason));
    err_clean(err->detail);
    return -1;
}

void err_clean(char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len;) {
        size_t step = utf8_len(text + i, len - i);
        if (step == 0 && utf8_cut(text + i, len - i)) {
            text[i] = '\0';
            return;
        }
        if (step == 0 || (unsigned char)text[i] < 0x20 || text[i] == 0x7F)
            text[i] = '?';
        i += step ? step : 1;
    }
}
