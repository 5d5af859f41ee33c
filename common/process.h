/* Processes: programs started in a group of their own, what this one uses, and locks that prove a death. */
#ifndef COMMON_PROCESS_H
#define COMMON_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

struct process_spec {
    const char *const *argv; /* ended by NULL; argv[0] is looked up in PATH unless it has a slash */
    const char *const *env;  /* "NAME=value", ended by NULL; NULL: ours */
    const char *cwd;         /* NULL: ours */
    int in, out, err;        /* file descriptors for 0, 1, 2, which stay the caller's; -1: /dev/null. Give those above 2
                                (or 2 as it is): others would be overwritten while they are put in place */
};

/* Starts it in a process group of its own, with no other descriptor open and default signals. -1: it did not start. */
int process_start(const struct process_spec *spec, pid_t *pid, struct err *err);
/* 0: it ended, and *status is as waitpid has it; 1: it still runs after timeout_ms. One thread a process. */
int process_wait(pid_t pid, int64_t timeout_ms, int *status, struct err *err);
/* SIGTERM to its group, after grace_ms SIGKILL, until it ended; grandchildren that stay in the group die with it. */
int process_stop(pid_t pid, int64_t grace_ms, int *status, struct err *err);

/* Of this process: resident bytes, open descriptors; 0 if /proc does not tell. */
int64_t process_rss_bytes(void);
int64_t process_fds(void);

/* Proof of death. The owner locks a file of its own for life; whoever finds it unlocked knows that the owner is gone,
 * since the kernel drops the lock with the process. Not inherited by programs started here; take it after a fork.
 * Give it back with process_unlock, which removes the file: a missing file proves nothing. */
int process_lock(const char *path, int *fd, struct err *err);
void process_unlock(const char *path, int fd);
/* 1: somebody holds it; 0: nobody does, the proof; -1: no such file, or not readable. */
int process_locked(const char *path, struct err *err);

#endif
