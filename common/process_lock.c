/* Locks that prove a death: flock(2) on a file that only its owner locks exclusively. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/process.h"

enum { TRIES = 20, PAUSE_MS = 10, ABOVE = 960 /* of 1024, the usual limit */ };

/* Whether the path still names the file that is open. */
static bool still_there(const char *path, int fd)
{
    struct stat open_file, named;
    return fstat(fd, &open_file) == 0 && lstat(path, &named) == 0 &&
           open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

/* Linux releases a dying process's descriptors from the highest down: with the lock above all
 * others nobody who sees a connection end finds it still held. */
static int above_others(int file)
{
    int above = fcntl(file, F_DUPFD_CLOEXEC, ABOVE);
    if (above < 0)
        return file; /* a lower limit: the order is luck then */
    close(file);
    return above;
}

/* Tries more than once: a tester holds its shared lock for a moment, and a sweeper may remove the
 * file before we have locked it. */
int process_lock(const char *path, int *fd, struct err *err)
{
    for (int i = 0; i < TRIES; i++) {
        CLEANUP(close_at)
        int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (file < 0)
            return err_errno(err, errno, "open '%s'", path);
        bool locked = flock(file, LOCK_EX | LOCK_NB) == 0;
        if (!locked && errno != EWOULDBLOCK && errno != EINTR)
            return err_errno(err, errno, "lock '%s'", path);
        if (locked && still_there(path, file)) {
            *fd = above_others(file);
            file = -1;
            return 0;
        }
        clock_sleep_ms(PAUSE_MS);
    }
    return err_set(err, ERR_IO_ERROR, "lock '%s': another process holds it", path);
}

void process_unlock(const char *path, int fd)
{
    /* Removed while it is locked: nobody can take an orderly end for a death. */
    if (still_there(path, fd))
        unlink(path);
    close(fd);
}

int process_locked(const char *path, struct err *err)
{
    CLEANUP(close_at) int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0)
        return err_errno(err, errno, "open '%s'", path);
    int failed;
    do {
        failed = flock(file, LOCK_SH | LOCK_NB);
    } while (failed && errno == EINTR);
    if (failed && errno != EWOULDBLOCK)
        return err_errno(err, errno, "lock '%s'", path);
    if (failed)
        return 1;
    if (!still_there(path, file))
        return err_set(err, ERR_IO_ERROR, "'%s' was removed", path);
    return 0;
}
