/* Writes again what was not taken. */
#include "common/file_write.h"

#include <errno.h>
#include <unistd.h>

int file_write(int fd, const void *bytes, size_t len, const char *what, struct err *err)
{
    const char *from = bytes;
    while (len > 0) {
        ssize_t written = write(fd, from, len < FILE_WRITE_BYTES ? len : FILE_WRITE_BYTES);
        if (written < 0 && errno != EINTR)
            return err_errno(err, errno, "%s", what);
        if (written > 0) {
            from += written;
            len -= (size_t)written;
        }
    }
    return 0;
}
