/* Where a download goes: a file, its digest, and a look at its first bytes. */
#ifndef WORKER_DOWNLOAD_SINK_H
#define WORKER_DOWNLOAD_SINK_H

#include <stdbool.h>

#include "common/file_write.h"
#include "worker/download/hasher.h"
#include "worker/download/sniff.h"

enum { SINK_BYTES = FILE_WRITE_BYTES }; /* smaller pieces are gathered */

struct sink {
    int fd;
    int64_t written; /* what was given, though the last bytes of it may still wait in the buffer */
    struct hasher *hasher;
    char *buffer;
    size_t waiting;
    const struct sniff *type; /* known from SNIFF_BYTES on, or at the end */
    uint8_t head[SNIFF_BYTES];
};

/* Creates the file (or empties it). */
int sink_open(struct sink *sink, const char *path, struct err *err);
void sink_close(struct sink *sink);
/* Begins anew with an empty file. */
int sink_restart(struct sink *sink, struct err *err);
/* ERR_UNSUPPORTED_MEDIA as soon as enough has come to know that nobody wants it; ERR_DISK_FULL. */
int sink_write(struct sink *sink, const char *bytes, size_t len, struct err *err);
/* Nothing more comes: the type is known, sha256 is filled. ERR_EMPTY_SOURCE, ERR_UNSUPPORTED_MEDIA.
 */
int sink_end(struct sink *sink, char sha256[DIGEST_HEX_LEN + 1], struct err *err);
/* ERR_DISK_FULL unless the file system has room for so many bytes more. */
int sink_room(const struct sink *sink, int64_t bytes, struct err *err);

#endif
