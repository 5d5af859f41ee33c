/* Writing to files of the workspace. */
#ifndef COMMON_FILE_WRITE_H
#define COMMON_FILE_WRITE_H

#include <stddef.h>

#include "common/err.h"

/* What is written by one call. A file system whose page cache takes memory in the size of the write needs large pieces of it
 * for large writes, and in a virtual machine that gives idle memory back to its host just those are not there: writing
 * 2 MB at once took twice as long as in these (Linux 6.18, ext4), and on a machine of its own a call in 16 KiB is cheap. */
enum { FILE_WRITE_BYTES = 16 << 10 };

/* All of it, where the file's offset is. what: for the error, "write a segment". ERR_DISK_FULL, ERR_IO_ERROR: part of it may
 * be written. */
int file_write(int fd, const void *bytes, size_t len, const char *what, struct err *err);

#endif
