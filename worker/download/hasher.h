/* The SHA-256 of a stream, on a thread of its own as soon as the stream is long: hashing takes longer than receiving. */
#ifndef WORKER_DOWNLOAD_HASHER_H
#define WORKER_DOWNLOAD_HASHER_H

#include <stddef.h>

#include "common/digest.h"

/* A buffer is what is written at once: smaller ones cost the file system more for each byte. HASHER_ALONE: as long a
 * stream is hashed by its caller. Memory: one buffer, HASHER_BUFFERS of them for a longer stream. */
enum { HASHER_BYTES = 64 << 10, HASHER_BUFFERS = 4, HASHER_ALONE = 4 << 20 };

struct hasher; /* belongs to one thread */

struct hasher *hasher_open(void);
/* The buffer to fill next: HASHER_BYTES. Waits until one is free. */
char *hasher_buffer(struct hasher *hasher);
/* Hashes the first `len` bytes of that buffer, which is not the caller's any more. */
void hasher_add(struct hasher *hasher, size_t len);
/* Waits, fills `out` and frees the hasher; out NULL: gives up. */
void hasher_end(struct hasher *hasher, uint8_t out[DIGEST_LEN]);

#endif
