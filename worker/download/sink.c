/* Writes what comes, hashes it, and refuses early what is no media. */
#include "worker/download/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* What must stay free for everybody else. */
#define ROOM_LEFT_BYTES (INT64_C(64) << 20)

int sink_open(struct sink *sink, const char *path, struct err *err)
{
    *sink = (struct sink){.fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)};
    if (sink->fd < 0)
        return err_errno(err, errno, "create the source's file");
    sink->hasher = hasher_open(sink->fd);
    sink->buffer = malloc(SINK_BYTES);
    if (!sink->buffer)
        abort();
    return 0;
}

void sink_close(struct sink *sink)
{
    hasher_free(sink->hasher);
    sink->hasher = NULL;
    if (sink->fd >= 0)
        close(sink->fd);
    sink->fd = -1;
    free(sink->buffer);
    sink->buffer = NULL;
}

int sink_restart(struct sink *sink, struct err *err)
{
    hasher_free(sink->hasher);
    sink->hasher = hasher_open(sink->fd);
    if (ftruncate(sink->fd, 0) || lseek(sink->fd, 0, SEEK_SET) != 0)
        return err_errno(err, errno, "empty the source's file");
    sink->waiting = 0;
    sink->written = 0;
    sink->type = NULL;
    return 0;
}

static int look(struct sink *sink, size_t len, struct err *err)
{
    sink->type = sniff_bytes(sink->head, len);
    if (sink->type->media != MEDIA_NONE)
        return 0;
    return err_set(err, ERR_UNSUPPORTED_MEDIA,
                   "the source is %s; video, audio and JPEG images are taken", sink->type->name);
}

static int keep_head(struct sink *sink, const char *bytes, size_t len, struct err *err)
{
    if (sink->written >= SNIFF_BYTES)
        return 0;
    size_t have = (size_t)sink->written, room = SNIFF_BYTES - have;
    memcpy(sink->head + have, bytes, len < room ? len : room);
    return len < room ? 0 : look(sink, SNIFF_BYTES, err);
}

static int flush(struct sink *sink, struct err *err)
{
    if (sink->waiting == 0)
        return 0;
    if (file_write(sink->fd, sink->buffer, sink->waiting, "write the source's file", err))
        return -1;
    hasher_add(sink->hasher, sink->buffer, sink->waiting);
    sink->waiting = 0;
    return 0;
}

int sink_write(struct sink *sink, const char *bytes, size_t len, struct err *err)
{
    if (keep_head(sink, bytes, len, err))
        return -1;
    for (size_t at = 0, part; at < len; at += part) {
        size_t room = SINK_BYTES - sink->waiting;
        part = len - at < room ? len - at : room;
        memcpy(sink->buffer + sink->waiting, bytes + at, part);
        sink->waiting += part;
        if (sink->waiting == SINK_BYTES && flush(sink, err))
            return -1;
    }
    sink->written += (int64_t)len;
    return 0;
}

/* Some file systems tell only at the end what they could not write. */
static int finish_file(struct sink *sink, struct err *err)
{
    struct stat info;
    int fd = sink->fd;
    if (fstat(fd, &info))
        return err_errno(err, errno, "look at the source's file");
    sink->fd = -1;
    if (close(fd))
        return err_errno(err, errno, "write the source's file");
    if (info.st_size != sink->written)
        return err_set(err, ERR_IO_ERROR, "the source's file has %lld bytes, not %lld as written",
                       (long long)info.st_size, (long long)sink->written);
    return 0;
}

int sink_end(struct sink *sink, char sha256[DIGEST_HEX_LEN + 1], struct err *err)
{
    uint8_t sum[DIGEST_LEN];
    if (sink->written == 0)
        return err_set(err, ERR_EMPTY_SOURCE, "the source has no bytes");
    if (!sink->type && look(sink, (size_t)sink->written, err))
        return -1;
    if (flush(sink, err))
        return -1;
    int failed = hasher_end(sink->hasher, sum, err);
    sink->hasher = NULL;
    if (failed)
        return -1;
    digest_hex(sum, sha256);
    return finish_file(sink, err);
}

int sink_room(const struct sink *sink, int64_t bytes, struct err *err)
{
    struct statvfs fs;
    if (fstatvfs(sink->fd, &fs))
        return err_errno(err, errno, "ask for the free space");
    int64_t free_blocks = (int64_t)fs.f_bavail, block = (int64_t)fs.f_frsize;
    if (block > 0 && (bytes + ROOM_LEFT_BYTES) / block >= free_blocks)
        return err_set(err, ERR_DISK_FULL, "no room for %lld MB in the workspace",
                       (long long)(bytes / 1000000));
    return 0;
}
