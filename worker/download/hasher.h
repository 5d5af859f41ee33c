/* The SHA-256 of a file that is being written, on a thread of its own as soon as the file is long: hashing takes half as
 * long as receiving. */
#ifndef WORKER_DOWNLOAD_HASHER_H
#define WORKER_DOWNLOAD_HASHER_H

#include <stddef.h>

#include "common/digest.h"
#include "common/err.h"

/* HASHER_ALONE: as long a file is hashed by its caller. HASHER_STEP: the thread is woken for so much, not for each write,
 * and reads it while it is in the processor's cache. Memory: HASHER_BYTES, for a longer file only. */
enum { HASHER_ALONE = 4 << 20, HASHER_STEP = 1 << 20, HASHER_BYTES = 64 << 10 };

struct hasher; /* belongs to one thread */

/* Of the file behind fd, which can be read, from its beginning. */
struct hasher *hasher_open(int fd);
/* The next `len` bytes, which have been written to the file. */
void hasher_add(struct hasher *hasher, const void *bytes, size_t len);
/* Waits, fills `out` and frees the hasher; ERR_IO_ERROR if the file could not be read. */
int hasher_end(struct hasher *hasher, uint8_t out[DIGEST_LEN], struct err *err);
/* Gives up. NULL is allowed. */
void hasher_free(struct hasher *hasher);

#endif
